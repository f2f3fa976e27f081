use std::path::Path;

use gradflow_core::network::Loss;
use gradflow_core::tasks::Task;
use gradflow_core::{Float, Pcg32, Stream};

use crate::data::{DataError, DataSet, parse_csv, read_csv, train, write_csv};

fn parse<T: Float>(text: &[u8], targets: &str, loss: Loss) -> Result<DataSet<T>, DataError> {
    let targets: Vec<_> = targets.split(',').map(str::to_owned).collect();
    parse_csv(text, Path::new("table.csv"), &targets, loss)
}

#[test]
fn columns_go_where_their_names_say() {
    let text = "\u{feff}b, y2 ,a,\"y,1\"\r\n1,2,3,4\r\n\r\n-5e-1, 6 ,7.,+.8\r\n";
    let targets = ["y,1".to_owned(), "y2".to_owned()];
    let set: DataSet<f64> =
        parse_csv(text.as_bytes(), Path::new("t"), &targets, Loss::Mse).unwrap();
    assert_eq!(set.input_names(), ["b", "a"]);
    assert_eq!(set.target_names(), targets);
    assert_eq!(set.values().unwrap(), [4.0, 2.0, 0.8, 6.0]);
    let expected = DataSet::from_values(2, vec![1.0, 3.0, -0.5, 7.0], vec![4.0, 2.0, 0.8, 6.0]);
    assert_eq!(set.inputs_view(), expected.unwrap().inputs_view());
}

#[test]
fn labels_count_their_classes() {
    let set: DataSet<f32> = parse(b"x,y\n1,2\n2,0\n", "y", Loss::CrossEntropy).unwrap();
    assert_eq!((set.labels(), set.outputs()), (Some(&[2, 0][..]), 3));
}

#[test]
fn bad_files_are_refused_with_their_place() {
    let (mse, classes) = (Loss::Mse, Loss::CrossEntropy);
    let cases: &[(&[u8], &str, Loss, &str)] = &[
        (b"", "y", mse, "table.csv: the file is empty"),
        (b"\n\n", "y", mse, "table.csv: the file is empty"),
        (b"x,y\n", "y", mse, "table.csv: there is no sample"),
        (b"1,2\n3,4\n", "2", mse, "line 1: the first line holds numbers"),
        (b"x,,y\n1,2,3\n", "y", mse, "line 1: column 2 has no name"),
        (b"x,y,x\n1,2,3\n", "y", mse, "line 1: two columns are named `x`"),
        (b"x,z\n1,2\n", "y", mse, "line 1: no column is named `y`; the columns are x, z"),
        (b"x;y\n1;2\n", "y", mse, "no column is named `y`; the columns are x;y"),
        (b"x,y\n1,2\n", "", mse, "no column is named ``"),
        (b"x,y\n1,2\n", "y,y", mse, "the target `y` is named twice"),
        (b"x,y\n1,2\n", "x,y", mse, "line 1: every column is a target"),
        (b"x,y\n1,2\n3\n", "y", mse, "line 3: the line has 1 fields, where the header has 2"),
        (b"x,y\n1,2,3\n", "y", mse, "line 2: the line has 3 fields"),
        (b"x,y\n1,2\n\n3,abc\n", "y", mse, "line 4, column `y`: `abc` is not a number"),
        (b"x,y\n0x10,2\n", "y", mse, "line 2, column `x`: `0x10` is not a number"),
        (b"x,y\n1_000,2\n", "y", mse, "`1_000` is not a number"),
        (b"x,y\r\n\r\n1,2\r\n \r\n\r\n3,abc", "y", mse, "line 6, column `y`: `abc` is not"),
        (b"\n\nx,\"y\nz\"\n\n1,2,3", "x", mse, "line 6: the line has"),
        (b"x,y\n1,\n", "y", mse, "line 2, column `y`: the field is empty"),
        (b"x,y\nNaN,2\n", "y", mse, "line 2, column `x`: `NaN` is not finite"),
        (b"x,y\n1,-inf\n", "y", mse, "line 2, column `y`: `-inf` is not finite"),
        (b"x,y\n1e39,2\n", "y", mse, "line 2, column `x`: `1e39` is too large for f32"),
        (b"x,y\n1,\xff\n", "y", mse, "line 2: field 2 is not UTF-8"),
        (b"x,\xff\n1,1\n", "y", mse, "field 2 is not UTF-8"),
        (b"x,y\n1,-1\n", "y", classes, "line 2, column `y`: `-1` is not a class label"),
        (b"x,y\n1,0.5\n", "y", classes, "`0.5` is not a class label"),
        (b"x,y\n1,256\n", "y", classes, "`256` is not a class label"),
        (b"x,y\n1,cat\n", "y", classes, "`cat` is not a class label"),
        (b"x,y,z\n1,0,0\n", "y,z", classes, "2 targets, where class labels take one column"),
    ];
    for (text, targets, loss, expected) in cases {
        let error = parse::<f32>(text, targets, *loss).expect_err(expected);
        let message = error.to_string();
        assert!(message.contains(expected), "{expected}: {message}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn a_file_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), &folder.path().join("none.csv")] {
        let error = read_csv::<f32>(path, &["y".to_owned()], Loss::Mse).unwrap_err();
        assert!(error.to_string().starts_with(path.to_str().unwrap()));
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn an_endless_line_is_refused() {
    let target = ["y".to_owned()];
    for byte in [b'0', b'"'] {
        let error = parse_csv::<f32>(std::io::repeat(byte), Path::new("t"), &target, Loss::Mse);
        assert!(error.unwrap_err().to_string().contains("more than 4194304 bytes"));
    }
}

#[test]
fn random_damage_is_an_error_or_a_smaller_table_and_never_a_panic() {
    let mut rng = Pcg32::new(0, Stream::Other);
    let text = b"x,\"y\",z\r\n1,2,3\n-1e-3,0,7\n\n4,1,1\n";
    let letters = b"x,\"\r\n0.-e\xff\0 N";
    for _ in 0..4_000 {
        let mut damaged = text.to_vec();
        for _ in 0..=rng.below(3) {
            let letter = letters[rng.below(letters.len() as u32) as usize];
            damaged[rng.below(text.len() as u32) as usize] = letter;
        }
        for loss in [Loss::Mse, Loss::CrossEntropy] {
            if let Ok(set) = parse::<f32>(&damaged, "y", loss) {
                assert!(set.inputs() <= 3 && set.len() <= 4);
                assert!(set.inputs_view().unwrap().iter().all(|x| x.is_finite()));
            }
        }
    }
}

fn round_trip<T: Float>(set: &DataSet<T>, loss: Loss) {
    let mut file = Vec::new();
    write_csv(set, &mut file).unwrap();
    let targets = set.target_names();
    let read = parse_csv::<T>(&file[..], Path::new("t"), targets, loss).unwrap();
    assert_eq!(&read, set);
}

#[test]
fn what_is_written_reads_back_to_the_last_bit() {
    round_trip(&train(Task::SinCos, 1, 40, 0.1_f32).unwrap(), Loss::Mse);
    round_trip(&train(Task::Gaussian, 1, 200, 0.1_f64).unwrap(), Loss::Mse);
    let mut rng = Pcg32::new(0, Stream::Other);
    let bits = || f32::from_bits(rng.next());
    let finite = std::iter::repeat_with(bits).filter(|x| x.is_finite());
    let x: Vec<f32> = finite.take(20_000).collect();
    let labels = (0..10_000).map(|i| (i % 7) as u8).collect();
    round_trip(&DataSet::from_labels(2, x, labels).unwrap(), Loss::Brier);
}
