//! candle: automatic differentiation and its own optimisers; batches are views of data in memory.

mod protocol;

use std::time::Instant;

use candle_core::{Device, Module as _, Result, Tensor, Var};
use candle_nn::{AdamW, Linear, Optimizer, ParamsAdamW, SGD, loss};
use protocol::{CLASSES, HIDDEN, LINE, PIXELS, Round, images, numbers};

const CPU: &Device = &Device::Cpu;

fn variable(shape: &[usize], size: f32) -> Result<Var> {
    let entries = numbers(shape.iter().product()).into_iter().map(|x| size * x).collect();
    Var::from_tensor(&Tensor::from_vec(entries, shape, CPU)?)
}

/// Two layers, and their variables.
fn network([inputs, outputs]: [usize; 2], biases: bool) -> Result<([Linear; 2], Vec<Var>)> {
    let mut variables = Vec::new();
    let mut layer = |from: usize, to: usize| -> Result<Linear> {
        let size = 1.0 / (from as f32).sqrt();
        let (weights, bias) = (variable(&[to, from], size)?, variable(&[to], size)?);
        variables.push(weights.clone());
        variables.extend(biases.then(|| bias.clone()));
        Ok(Linear::new(weights.as_tensor().clone(), biases.then(|| bias.as_tensor().clone())))
    };
    let layers = [layer(inputs, HIDDEN)?, layer(HIDDEN, outputs)?];
    Ok((layers, variables))
}

fn forward([first, second]: &[Linear; 2], x: &Tensor) -> Result<Tensor> {
    second.forward(&first.forward(x)?.relu()?)
}

fn epochs<O: Optimizer>(size: usize, optimiser: impl Fn(Vec<Var>) -> Result<O>) -> Result<Round>
where
    O: 'static,
{
    let (x, y) = images();
    let n = y.len();
    let x = Tensor::from_vec(x, (n, PIXELS), CPU)?;
    let y = Tensor::from_vec(y.into_iter().map(u32::from).collect(), n, CPU)?;
    let (layers, variables) = network([PIXELS, CLASSES], true)?;
    let mut optimiser = optimiser(variables)?;
    let mut epoch = move || -> Result<f64> {
        for start in (0..n).step_by(size) {
            let len = size.min(n - start);
            let outputs = forward(&layers, &x.narrow(0, start, len)?)?;
            optimiser.backward_step(&loss::cross_entropy(&outputs, &y.narrow(0, start, len)?)?)?;
        }
        Ok(1.0)
    };
    Ok(Box::new(move || epoch().unwrap()))
}

fn sgd(size: usize) -> Round {
    epochs(size, |variables| SGD::new(variables, 0.1)).unwrap()
}

fn adam(size: usize) -> Round {
    let settings = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..ParamsAdamW::default() };
    epochs(size, |variables| AdamW::new(variables, settings.clone())).unwrap()
}

/// The network 1-100-1 by SGD, the biases in a second column.
fn line() -> Result<Round> {
    let x: Vec<f32> = numbers(LINE).into_iter().map(|x| 2.0 * x).collect();
    let y = Tensor::from_vec(x.iter().map(|x| (-x * x).exp()).collect::<Vec<_>>(), (LINE, 1), CPU)?;
    let x =
        Tensor::from_vec(x.into_iter().flat_map(|x| [x, 1.0]).collect::<Vec<_>>(), (LINE, 2), CPU)?;
    let (layers, variables) = network([2, 1], false)?;
    let mut optimiser = SGD::new(variables, 0.05)?;
    let mut epoch = move || -> Result<f64> {
        let mut steps = 0.0;
        for start in (0..LINE).step_by(64) {
            let len = 64.min(LINE - start);
            let outputs = forward(&layers, &x.narrow(0, start, len)?)?;
            optimiser.backward_step(&loss::mse(&outputs, &y.narrow(0, start, len)?)?)?;
            steps += 1.0;
        }
        Ok(steps)
    };
    Ok(Box::new(move || epoch().unwrap()))
}

fn main() {
    let started = Instant::now();
    protocol::serve(
        "candle",
        started,
        &[
            ("mnist-sgd-64", || sgd(64)),
            ("mnist-sgd-256", || sgd(256)),
            ("mnist-adam-64", || adam(64)),
            ("mnist-adam-256", || adam(256)),
            ("line-sgd-64", || line().unwrap()),
        ],
    );
}
