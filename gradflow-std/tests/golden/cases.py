"""The cases: each is a method's flags on one of the two data sets, from one of the three initial weights."""

from collections import namedtuple

Case = namedtuple("Case", "name init flags steps")

REGRESSION = ("--data regression.csv --target y1,y2 --loss mse", "init_regression.safetensors")
NO_BIAS = (REGRESSION[0], "init_regression_no_bias.safetensors")
CLASSES = ("--data classes.csv --target label --loss cross-entropy", "init_classes.safetensors")

CASES = [
    Case(name, init, flags, steps[0] if steps else 50)
    for name, init, flags, *steps in [
        ("sgd-dt0.1", REGRESSION, "--method sgd --dt 0.1"),
        ("sgd-classes-dt1", CLASSES, "--method sgd --dt 1"),
        ("adam-dt0.1", NO_BIAS, "--method adam --dt 0.1"),
        ("adam-classes-dt0.01", CLASSES, "--method adam --dt 0.01"),
        # SAV
        ("sav-ratio-dt0.1", NO_BIAS, "--method sav --coupling ratio --dt 0.1"),
        ("sav-ratio-dt10-lambda1", REGRESSION, "--method sav --dt 10 --lambda 1"),
        ("sav-ratio-classes-dt10", CLASSES, "--method sav --dt 10 --c 2"),
        ("sav-consistent-dt0.1", REGRESSION, "--method sav --coupling consistent --dt 0.1"),
        ("sav-consistent-dt10-lambda1", REGRESSION, "--method sav --coupling consistent --dt 10 --lambda 1"),
        ("sav-consistent-classes-dt10-lambda1", CLASSES, "--method sav --coupling consistent --dt 10 --lambda 1"),
        ("sav-relaxed-dt0.1", REGRESSION, "--method sav --relaxed --dt 0.1 --c 0.5"),
        ("sav-relaxed-dt10-lambda1", NO_BIAS, "--method sav --relaxed --coupling consistent --dt 10 --lambda 1 --c 1"),
        ("sav-relaxed-classes-dt10", CLASSES, "--method sav --relaxed --dt 10 --eta 0.5"),
        ("sav-diagonal-dt10-lambda100", REGRESSION, "--method sav --operator diagonal --dt 10 --lambda 100"),
        ("sav-relaxed-diagonal-dt100-lambda10", REGRESSION,
         "--method sav --relaxed --operator diagonal --dt 100 --lambda 10"),
        # ExpSAV
        ("exp-sav-ratio-dt0.1", REGRESSION, "--method exp-sav --coupling ratio --dt 0.1"),
        ("exp-sav-ratio-dt10", NO_BIAS, "--method exp-sav --dt 10 --c 2", 15),
        ("exp-sav-ratio-dt10-lambda1", NO_BIAS, "--method exp-sav --dt 10 --lambda 1 --c 2"),
        ("exp-sav-ratio-classes-dt10-lambda1", CLASSES, "--method exp-sav --dt 10 --lambda 1"),
        ("exp-sav-consistent-dt0.1", NO_BIAS, "--method exp-sav --coupling consistent --dt 0.1"),
        ("exp-sav-consistent-dt10-lambda1", REGRESSION, "--method exp-sav --coupling consistent --dt 10 --lambda 1"),
        ("exp-sav-consistent-classes-dt10", CLASSES, "--method exp-sav --coupling consistent --dt 10 --c 0.5"),
        ("exp-sav-relaxed-dt10-lambda1", REGRESSION, "--method exp-sav --relaxed --dt 10 --lambda 1"),
        ("exp-sav-relaxed-classes-dt10", CLASSES, "--method exp-sav --relaxed --dt 10 --eta 0.5 --c 3"),
        ("exp-sav-relaxed-ratio-dt1", REGRESSION, "--method exp-sav --relaxed --coupling ratio --dt 1"),
        # Adaptive IEQ
        ("ieq-adaptive-dt0.1", REGRESSION, "--method ieq-adaptive --dt 0.1"),
        ("ieq-adaptive-dt10-lambda1", NO_BIAS, "--method ieq-adaptive --dt 10 --lambda 1"),
        ("ieq-adaptive-sqrt-loss-dt10", CLASSES, "--method ieq-adaptive --dt 10"),
        ("ieq-adaptive-brier-dt10", CLASSES, "--method ieq-adaptive --residual brier --dt 10"),
        ("ieq-adaptive-logit-dt1", CLASSES, "--method ieq-adaptive --residual logit --dt 1"),
        ("ieq-adaptive-raw-dt0.1", REGRESSION, "--method ieq-adaptive --residual raw --dt 0.1 --epsilon 0.01"),
        ("ieq-adaptive-persistent-dt0.1", REGRESSION, "--method ieq-adaptive --q persistent --dt 0.1"),
        ("ieq-adaptive-persistent-sqrt-loss-dt1", CLASSES, "--method ieq-adaptive --q persistent --dt 1"),
        ("ieq-adaptive-relaxed-dt0.3", NO_BIAS, "--method ieq-adaptive --relaxed --dt 0.3"),
        ("ieq-adaptive-relaxed-dt10-lambda1", REGRESSION,
         "--method ieq-adaptive --relaxed --dt 10 --lambda 1 --epsilon 0.01"),
        ("ieq-adaptive-relaxed-sqrt-loss-dt10", CLASSES, "--method ieq-adaptive --relaxed --dt 10 --epsilon 0.01", 40),
        ("ieq-adaptive-relaxed-brier-dt10", CLASSES, "--method ieq-adaptive --relaxed --residual brier --dt 10"),
        # Full IEQ
        ("ieq-full-dt0.1", REGRESSION, "--method ieq-full --dt 0.1"),
        ("ieq-full-dt10-lambda1", NO_BIAS, "--method ieq-full --dt 10 --lambda 1"),
        ("ieq-full-dt100", NO_BIAS, "--method ieq-full --dt 100", 20),
        ("ieq-full-dt100-lambda0.1", REGRESSION, "--method ieq-full --dt 100 --lambda 0.1"),
        ("ieq-full-raw-dt0.1", REGRESSION, "--method ieq-full --residual raw --dt 0.1"),
        ("ieq-full-ggn-dt0.1", CLASSES, "--method ieq-full --dt 0.1"),
        ("ieq-full-ggn-dt10", CLASSES, "--method ieq-full --residual ggn --dt 10"),
        ("ieq-full-ggn-dt100-lambda0.1", CLASSES, "--method ieq-full --dt 100 --lambda 0.1"),
        ("ieq-full-brier-dt10", CLASSES, "--method ieq-full --residual brier --dt 10"),
        ("ieq-full-logit-dt1", CLASSES, "--method ieq-full --residual logit --dt 1"),
        ("ieq-full-gain-ratio-dt1", NO_BIAS, "--method ieq-full --control gain-ratio --dt 1", 14),
        ("ieq-full-gain-ratio-dt0.001", REGRESSION, "--method ieq-full --control gain-ratio --dt 0.001"),
        ("ieq-full-gain-ratio-dt1000", REGRESSION, "--method ieq-full --control gain-ratio --dt 1000"),
        ("ieq-full-gain-ratio-brier-dt10", CLASSES, "--method ieq-full --residual brier --control gain-ratio --dt 10"),
        ("ieq-full-persistent-dt0.1", REGRESSION, "--method ieq-full --q persistent --dt 0.1"),
        ("ieq-full-persistent-dt10-lambda1", NO_BIAS, "--method ieq-full --q persistent --dt 10 --lambda 1"),
        ("ieq-full-relaxed-dt10", REGRESSION, "--method ieq-full --relaxed --dt 10 --eta 0.5"),
        ("ieq-full-relaxed-dt100-lambda0.1", NO_BIAS, "--method ieq-full --relaxed --dt 100 --lambda 0.1", 40),
        # q̃ stays almost as long as q here, and almost orthogonal to J: later steps are differences.
        ("ieq-full-relaxed-brier-dt1000", CLASSES, "--method ieq-full --relaxed --residual brier --dt 1000", 20),
    ]
]


def arguments(case):
    """What follows `gradflow train` on the command line."""
    data, init = case.init
    return f"--task csv {data} {case.flags} --steps {case.steps} --batch full --precision f64 --init {init}"
