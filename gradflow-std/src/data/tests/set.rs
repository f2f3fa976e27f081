use gradflow_core::network::{Inputs, LevelRows, Targets};

use crate::data::rows::{Answers, Rows};
use crate::data::{DataError, DataSet};

/// Samples 0, 1, 2, … of two inputs, one of them zero, dense or sparse.
fn numbered(len: u8, sparse: bool) -> DataSet<f32> {
    let (mut starts, mut entries, mut x) = (vec![0], Vec::new(), Vec::new());
    for i in 0..len {
        x.extend([0.0, f32::from(i)]);
        if i > 0 {
            entries.push([1, i]);
        }
        starts.push(entries.len() as u32);
    }
    let values = std::array::from_fn(|level| level as f32);
    let levels = LevelRows::new(2, starts, entries, Box::new(values)).unwrap();
    let rows = if sparse { Rows::Levels(levels) } else { Rows::Dense(x) };
    DataSet::assemble(rows, Answers::Labels((0..len).collect()), 2, usize::from(len))
}

fn second_inputs(set: &DataSet<f32>) -> Vec<f32> {
    let mut row = Vec::new();
    let entry = |i| {
        set.copy_row(i, &mut row);
        assert_eq!((row.len(), row[0]), (2, 0.0));
        row[1]
    };
    (0..set.len()).map(entry).collect()
}

#[test]
fn a_split_gives_each_sample_once_and_in_order() {
    for sparse in [false, true] {
        let (train, validation) = numbered(5, sparse).split(2).unwrap();
        assert_eq!(second_inputs(&train), [0.0, 1.0, 2.0]);
        assert_eq!(second_inputs(&validation), [3.0, 4.0]);
        assert_eq!(train.labels(), Some(&[0, 1, 2][..]));
        assert_eq!(validation.labels(), Some(&[3, 4][..]));
        assert_eq!(validation.outputs(), 5);
        if let Inputs::Levels(rows) = validation.samples().inputs {
            let (starts, entries, _) = rows.into_parts();
            assert_eq!((starts, entries), (&[0, 1, 2][..], &[[1, 3], [1, 4]][..]));
        }
    }
}

#[test]
fn a_set_may_lack_some_of_a_networks_classes_but_have_no_other() {
    let set = DataSet::from_labels(1, vec![1.0; 2], vec![3, 0]).unwrap();
    assert_eq!(set.clone().with_classes(10).unwrap().outputs(), 10);
    assert!(set.with_classes(3).unwrap_err().to_string().contains("label 3"));
    let numbers = DataSet::from_values(1, vec![1.0; 2], vec![0.0; 2]).unwrap();
    assert!(numbers.with_classes(3).is_err());
}

#[test]
fn parts_without_samples_are_refused() {
    let refusals = [
        numbered(3, false).split(0).err(),
        numbered(3, false).split(3).err(),
        numbered(3, false).split(9).err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Some(DataError::Unsuitable(_))));
    }
}

#[test]
fn numbers_that_make_no_data_set_are_refused() {
    let nan = f64::NAN;
    for (inputs, x, y) in [
        (0, vec![], vec![]),
        (1, vec![], vec![]),
        (1, vec![1.0], vec![]),
        (2, vec![1.0; 3], vec![1.0]),
        (1, vec![1.0; 2], vec![1.0; 3]),
        (1, vec![1.0, nan], vec![1.0; 2]),
        (1, vec![1.0; 2], vec![f64::INFINITY, 1.0]),
    ] {
        let made = DataSet::from_values(inputs, x.clone(), y.clone());
        assert!(made.is_err(), "{inputs} {x:?} {y:?}");
    }
    assert!(DataSet::from_labels(1, vec![1.0; 2], vec![0]).is_err());
}

#[test]
fn values_may_have_several_columns_and_labels_at_least_two_classes() {
    let set = DataSet::from_values(1, vec![1.0; 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    assert_eq!((set.outputs(), set.target_names()[1].as_str()), (2, "y2"));
    assert!(matches!(set.samples().targets, Targets::Values(y) if y.len() == 4));
    let set = DataSet::from_labels(1, vec![1.0; 2], vec![0, 0]).unwrap();
    assert_eq!((set.outputs(), set.all().len()), (2, 2));
}
