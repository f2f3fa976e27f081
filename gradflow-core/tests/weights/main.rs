//! Weights files and digests, with the `safetensors` crate as the oracle in both directions.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

mod headers;

use gradflow_core::network::TwoLayer;
use gradflow_core::weights::{self, Header};
use gradflow_core::{Buffer, Digest, Error, Float, Pcg32, Stream};
use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use self::headers::{HIDDEN, OUTPUT, file};

/// Numbers of any size, subnormals and −0 among them.
fn draw<T: Float>(len: usize, seed: u64) -> Vec<T> {
    let mut rng = Pcg32::new(seed, Stream::Other);
    let mut w = vec![T::ZERO; len];
    rng.normal(T::ONE, &mut w);
    for w in &mut w {
        *w = match rng.below(8) {
            0 => -T::ZERO,
            1 => *w * T::from_f64(1e-40),
            2 => *w * T::from_f64(1e37),
            _ => *w,
        };
    }
    w
}

fn write<T: Float>(network: &TwoLayer<T>, w: &[T]) -> Vec<u8> {
    let mut bytes = vec![0xee; weights::file_len(network)];
    let len = weights::write(network, w, &mut bytes).unwrap();
    assert!(bytes[len..].iter().all(|&byte| byte == 0xee));
    bytes.truncate(len);
    bytes
}

fn le_bytes<T: Float>(numbers: &[T]) -> Vec<u8> {
    let bytes = numbers.iter().flat_map(|x| {
        let bits = x.to_bits64().to_le_bytes();
        bits.into_iter().take(T::BYTES)
    });
    bytes.collect()
}

fn bits<T: Float>(numbers: &[T]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits64()).collect()
}

/// The file as the oracle writes it, with any metadata.
fn oracle_file<T: Float>(
    network: &TwoLayer<T>,
    w: &[T],
    metadata: Vec<(String, String)>,
) -> Vec<u8> {
    let (d, m, k) = (network.inputs(), network.hidden(), network.outputs());
    let layers = network.layers(w).unwrap();
    let transposed: Vec<T> = (0..m * k).map(|i| layers.output[i % k * m + i / k]).collect();
    let dtype = if T::BYTES == 4 { Dtype::F32 } else { Dtype::F64 };
    let mut tensors = vec![
        ("hidden", vec![d + 1, m], le_bytes(layers.hidden)),
        ("output", vec![m, k], le_bytes(&transposed)),
    ];
    if network.output_bias() {
        tensors.push(("output_bias", vec![k], le_bytes(layers.output_bias)));
    }
    let views = tensors.iter().map(|(name, shape, data)| {
        let view = TensorView::new(dtype, shape.clone(), data).unwrap();
        (*name, view)
    });
    let metadata = (!metadata.is_empty()).then(|| metadata.into_iter().collect());
    safetensors::serialize(views, metadata).unwrap()
}

/// The metadata that belongs to the network's scale.
fn scale_entry<T: Float>(network: &TwoLayer<T>) -> Vec<(String, String)> {
    let entry = ("output_scale".into(), format!("{:e}", network.scale()));
    let plain = network.scale() == T::ONE;
    Some(entry).filter(|_| !plain).into_iter().collect()
}

/// Writing gives the oracle's bytes, reading gives the weights back, into both precisions.
fn check_round_trip<T: Float>(network: TwoLayer<T>, seed: u64) {
    let w = draw::<T>(network.parameters(), seed);
    let bytes = write(&network, &w);
    assert_eq!(bytes, oracle_file(&network, &w, scale_entry(&network)));

    let header = Header::parse(&bytes).unwrap();
    assert_eq!(header.network(), Ok(network));
    assert_eq!(header.dtype.size(), T::BYTES);
    let mut copy = vec![T::ONE; w.len()];
    weights::read(&header, &bytes, &mut copy).unwrap();
    assert_eq!(bits(&copy), bits(&w));

    let mut wide = vec![0.0_f64; w.len()];
    weights::read(&header, &bytes, &mut wide).unwrap();
    let widened: Vec<f64> = w.iter().map(|w| w.to_f64()).collect();
    assert_eq!(bits(&wide), bits(&widened));

    let mut narrow = vec![0.0_f32; w.len()];
    weights::read(&header, &bytes, &mut narrow).unwrap();
    let narrowed: Vec<f32> = widened.iter().map(|&w| w as f32).collect();
    assert_eq!(bits(&narrow), bits(&narrowed));
}

proptest! {
    #[test]
    fn files_are_the_oracles(
        (d, m, k) in (1_usize..9, 1_usize..40, 1_usize..5),
        output_bias: bool,
        scale in prop_oneof![
            Just(1.0), Just(-1.0), -2.0..2.0, (1_u32..200).prop_map(|m| 1.0 / f64::from(m).sqrt()),
        ].prop_filter("the scale is not 0", |scale| *scale != 0.0),
        seed: u64,
    ) {
        let single = TwoLayer::<f32>::new(d, m, k).unwrap().with_output_bias(output_bias);
        check_round_trip(single.with_scale(scale as f32), seed);
        let double = TwoLayer::<f64>::new(d, m, k).unwrap().with_output_bias(output_bias);
        check_round_trip(double.with_scale(scale), seed);
    }

    #[test]
    fn other_metadata_is_passed_over(
        keys in prop::collection::hash_map(".{0,12}", ".{0,12}", 0..6),
        scale in 0.01..10.0_f64,
    ) {
        let network = TwoLayer::<f64>::new(2, 3, 2).unwrap().with_scale(scale);
        let w = draw(network.parameters(), 1);
        let scale = ("output_scale".into(), format!("{scale}"));
        let metadata = keys.into_iter().chain([scale]).collect();
        let bytes = oracle_file(&network, &w, metadata);
        let header = Header::parse(&bytes).unwrap();
        prop_assert_eq!(header.network(), Ok(network));
        let mut copy = vec![0.0; w.len()];
        weights::read(&header, &bytes, &mut copy).unwrap();
        prop_assert_eq!(copy, w);
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(Header::parse(&bytes), Err(Error::Format(_))));
    }

    #[test]
    fn random_headers_are_refused(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..40),
        tail in 0_usize..64,
    ) {
        let bytes = file(&tokens.concat(), &vec![0; tail]);
        prop_assert!(matches!(Header::parse(&bytes), Err(Error::Format(_))));
    }

    /// Whatever a damaged file is taken for, the oracle takes it for the same.
    #[test]
    fn damaged_files_are_refused_or_read_as_the_oracle_reads_them(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let network = TwoLayer::<f32>::new(2, 3, 2).unwrap().with_output_bias(true).with_scale(0.5);
        let w = vec![1.0; network.parameters()];
        let mut bytes = write(&network, &w);
        for (at, byte) in damage {
            // Two of three hits strike the header.
            let len = if byte % 3 == 0 { bytes.len() } else { 256 };
            bytes[at.index(len)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let Ok(header) = Header::parse(&bytes) else {
            return Ok(());
        };
        let oracle = SafeTensors::deserialize(&bytes).unwrap();
        let shape = |name| oracle.tensor(name).unwrap().shape().to_vec();
        prop_assert_eq!(shape("hidden"), [header.inputs + 1, header.hidden]);
        prop_assert_eq!(shape("output"), [header.hidden, header.outputs]);
        prop_assert_eq!(oracle.len(), if header.output_bias { 3 } else { 2 });
        let mut copy = vec![0.0_f32; w.len()];
        if weights::read(&header, &bytes, &mut copy).is_ok() {
            let len = header.inputs * header.hidden + header.hidden;
            let hidden = oracle.tensor("hidden").unwrap();
            prop_assert_eq!(le_bytes(&copy[..len]), hidden.data());
        }
    }
}

/// Pieces from which a header could come out right, or nearly.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"hidden\":",
    "\"output\":",
    "\"__metadata__\":",
    "\"dtype\":",
    "\"F32\"",
    "\"shape\":",
    "\"data_offsets\":",
    "2",
    "1",
    "0",
    "\"",
    "\\",
    "-",
    " ",
    "null",
    "\"output_scale\":",
    "\"0.5\"",
    "99999999999999999999999",
];

#[test]
fn weights_that_are_not_finite_are_refused_and_leave_all_as_it_was() {
    let network = TwoLayer::<f64>::new(1, 3, 1).unwrap().with_output_bias(true);
    for place in 0..10 {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            let mut w = [1.0; 10];
            w[place] = bad;
            let mut bytes = [7; 600];
            let written = weights::write(&network, &w, &mut bytes);
            if !bad.is_finite() {
                assert!(matches!(written, Err(Error::NotFinite { .. })));
                assert_eq!(bytes, [7; 600]);
                continue;
            }
            // Finite, but not as f32.
            let bytes = &bytes[..written.unwrap()];
            let header = Header::parse(bytes).unwrap();
            let mut single = [5.0_f32; 10];
            let read = weights::read(&header, bytes, &mut single);
            assert!(matches!(read, Err(Error::Format(_))));
            assert_eq!(single, [5.0; 10]);
            weights::read(&header, bytes, &mut w).unwrap();
        }
    }
    let mut data = [1.0_f32; 9];
    data[8] = f32::NAN;
    let bytes = file(&format!("{{{HIDDEN},{OUTPUT}}}"), &le_bytes(&data));
    let header = Header::parse(&bytes).unwrap();
    let read = weights::read(&header, &bytes, &mut [0.0_f32; 9]);
    assert!(matches!(read, Err(Error::Format(_))));
}

#[test]
fn lengths_are_checked() {
    let network = TwoLayer::<f32>::new(1, 3, 1).unwrap();
    let room = weights::file_len(&network);
    let length = |result: Result<(), Error>| match result {
        Err(Error::Length { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let mut bytes = vec![0; room];
    let short = weights::write(&network, &[0.0; 9], &mut bytes[..room - 1]);
    assert_eq!(length(short.map(drop)), Buffer::Bytes);
    let short = weights::write(&network, &[0.0; 8], &mut bytes);
    assert_eq!(length(short.map(drop)), Buffer::Weights);
    let bytes = write(&network, &[0.0; 9]);
    let header = Header::parse(&bytes).unwrap();
    assert_eq!(length(weights::read(&header, &bytes, &mut [0.0_f32; 10])), Buffer::Weights);
    let cut = weights::read(&header, &bytes[..bytes.len() - 1], &mut [0.0_f32; 9]);
    assert!(matches!(cut, Err(Error::Format(_))));
}

#[test]
fn scales_are_checked() {
    let network = TwoLayer::<f32>::new(1, 3, 1).unwrap();
    for scale in [0.0, f32::NAN, f32::INFINITY] {
        let refused = weights::write(&network.with_scale(scale), &[0.0; 9], &mut [0; 600]);
        assert!(matches!(refused, Err(Error::Unsupported(_))));
    }
    for (text, fits) in [("1e-300", false), ("1e300", false), ("1e30", true)] {
        let text =
            format!("{{\"__metadata__\":{{\"output_scale\":\"{text}\"}},{HIDDEN},{OUTPUT}}}");
        let header = Header::parse(&file(&text, &[0; 36])).unwrap();
        assert!(header.network::<f64>().is_ok());
        assert_eq!(header.network::<f32>().is_ok(), fits);
    }
}

#[test]
fn digest_is_fnv_1a() {
    // Of "foob", from the test suite of the algorithm's authors.
    let foob = f32::from_le_bytes(*b"foob");
    let digest = Digest::new().update(&[foob]).unwrap();
    assert_eq!(digest.finish(), 0xdd12_0e79_0c25_12af);
    assert_eq!(Digest::new().finish(), 0xcbf2_9ce4_8422_2325);
    // One f64 or two f32 of the same bytes are the same bytes.
    let both = f64::from_le_bytes(*b"foobfoob");
    let twice = digest.update(&[foob]).unwrap();
    assert_eq!(Digest::new().update(&[both]), Ok(twice));
    // 0 and −0 are equal numbers and differ in a trajectory.
    assert_ne!(Digest::new().update(&[0.0_f32]), Digest::new().update(&[-0.0_f32]));
    for bad in [f32::NAN, f32::INFINITY] {
        assert!(matches!(digest.update(&[1.0, bad]), Err(Error::NotFinite { .. })));
    }
}
