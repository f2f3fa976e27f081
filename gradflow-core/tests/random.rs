//! The generator against its reference, and what is drawn with it against its distribution.

#![allow(clippy::unwrap_used)] // helpers of tests stop at the first error, as tests do

use gradflow_core::{Float, Pcg32, Stream};
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Lcg64Xsh32;

/// First outputs of the demonstration program of the PCG library (`pcg32-demo`, seed 42 and
/// sequence 54).
#[test]
fn first_outputs_are_the_published_ones() {
    let mut rng = Pcg32::with_stream(42, 54);
    let outputs: [u32; 6] = core::array::from_fn(|_| rng.next());
    let published = [0xa15c_02b7, 0x7b47_f409, 0xba1d_3330, 0x83d2_f293, 0xbfa4_784b, 0xcbed_606e];
    assert_eq!(outputs, published);
}

proptest! {
    #[test]
    fn outputs_are_the_oracles(seed: u64, stream in 0_u64..1 << 63, skip in 0..100) {
        let mut rng = Pcg32::with_stream(seed, stream);
        let mut oracle = Lcg64Xsh32::new(seed, stream);
        for _ in 0..skip {
            prop_assert_eq!(rng.next(), oracle.next_u32());
        }
        let mut restored = Pcg32::from_parts(rng.to_parts());
        prop_assert_eq!(rng.next_u64(), oracle.next_u64());
        restored.next_u64();
        let (mut bytes, mut expected) = ([0; 23], [0; 23]);
        rng.fill_bytes(&mut bytes);
        oracle.fill_bytes(&mut expected);
        prop_assert_eq!(bytes, expected);
        restored.fill_bytes(&mut bytes);
        prop_assert_eq!(bytes, expected);
        prop_assert_eq!(rng, restored);
    }

    #[test]
    fn seeds_are_seed_and_stream(seed: u64, stream in 0_u64..1 << 63) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..].copy_from_slice(&stream.to_le_bytes());
        prop_assert_eq!(Pcg32::from_seed(bytes), Pcg32::with_stream(seed, stream));
    }

    #[test]
    fn below_is_below(seed: u64, bound in prop_oneof![0_u32..5, any::<u32>()]) {
        let mut rng = Pcg32::new(seed, Stream::Other);
        for _ in 0..20 {
            let number = rng.below(bound);
            prop_assert!(number < bound || bound == 0 && number == 0);
        }
    }

    #[test]
    fn below_draws_again_where_a_bound_divides_unevenly(
        seed: u64,
        bound in prop_oneof![1_u32..1000, (1 << 31)..u32::MAX],
    ) {
        let (mut rng, mut plain) = [Pcg32::new(seed, Stream::Other); 2].into();
        for _ in 0..20 {
            let products = std::iter::repeat_with(|| u64::from(plain.next()) * u64::from(bound));
            let uneven = (1_u64 << 32) % u64::from(bound);
            let kept = products.map(|p| (p & 0xffff_ffff, p >> 32)).find(|(low, _)| *low >= uneven);
            prop_assert_eq!(Some(u64::from(rng.below(bound))), kept.map(|(_, number)| number));
        }
    }

    #[test]
    fn uniform_numbers_lie_in_their_range(seed: u64, low in -9.0..9.0_f64, width in 0.0..9.0_f64) {
        let mut rng = Pcg32::new(seed, Stream::Other);
        for _ in 0..20 {
            let number = rng.uniform(low, low + width);
            prop_assert!(low <= number && number <= low + width);
            let fraction = rng.uniform(0.0_f32, 1.0);
            prop_assert!((0.0..1.0).contains(&fraction));
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation(seed: u64, len in 0_usize..300) {
        let mut items: Vec<usize> = (0..len).collect();
        Pcg32::new(seed, Stream::Shuffle).shuffle(&mut items);
        items.sort_unstable();
        prop_assert!(items.into_iter().eq(0..len));
    }
}

#[test]
fn streams_are_apart() {
    use Stream::{Data, Noise, Other, Shuffle, Test, Weights};
    let streams = [Weights, Data, Noise, Shuffle, Test, Other];
    for (number, stream) in (1..).zip(streams) {
        assert_eq!(Pcg32::new(7, stream), Pcg32::with_stream(7, number));
    }
    let firsts = streams.map(|stream| Pcg32::new(0, stream).next_u64());
    for (i, first) in firsts.iter().enumerate() {
        assert!(!firsts[..i].contains(first));
    }
}

/// Fails if counts are unlikely (six standard deviations) to come from equal chances.
#[track_caller]
fn assert_even(counts: &[u32]) {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    let squares = counts.iter().map(|&count| (f64::from(count) - expected).powi(2));
    let chi_sq = squares.sum::<f64>() / expected;
    let freedom = counts.len() as f64 - 1.0;
    assert!(chi_sq < freedom + 6.0 * (2.0 * freedom).sqrt(), "chi² = {chi_sq}: {counts:?}");
}

#[test]
fn below_is_without_bias() {
    let mut rng = Pcg32::new(1, Stream::Other);
    // Of a bound of ¾ 2³², a remainder instead of rejection would give the lower third twice.
    let large = 3 << 30;
    for (bound, cells) in [(2, 2), (3, 3), (10, 10), (1000, 1000), (large, 12), (u32::MAX, 16)] {
        let mut counts = vec![0; cells];
        for _ in 0..200_000 {
            let number = u64::from(rng.below(bound));
            counts[(number * cells as u64 / u64::from(bound)) as usize] += 1;
        }
        assert_even(&counts);
    }
    // The same in its lowest digit, where a product without rejection is uneven.
    let mut counts = [0; 3];
    for _ in 0..200_000 {
        counts[rng.below(large) as usize % 3] += 1;
    }
    assert_even(&counts);
}

#[test]
fn shuffles_are_without_bias() {
    let mut rng = Pcg32::new(2, Stream::Shuffle);
    let mut counts = [0; 256];
    for _ in 0..100_000 {
        let mut items = [0, 1, 2, 3];
        rng.shuffle(&mut items);
        counts[items.iter().fold(0, |code, &item| 4 * code + item)] += 1;
    }
    let seen: Vec<u32> = counts.into_iter().filter(|&count| count > 0).collect();
    assert_eq!(seen.len(), 24);
    assert_even(&seen);
}

/// Moments, each within six standard deviations of its estimate, and the share within 1 and 2
/// standard deviations of the mean.
fn check_normal<T: Float>(deviation: f64, seed: u64) {
    const LEN: usize = 200_001; // odd: the last pair is cut
    let mut numbers = vec![T::ZERO; LEN];
    Pcg32::new(seed, Stream::Noise).normal(T::from_f64(deviation), &mut numbers);
    let numbers: Vec<f64> = numbers.iter().map(|x| x.to_f64() / deviation).collect();
    let root = (LEN as f64).sqrt();
    let mean = |f: &dyn Fn(f64) -> f64| numbers.iter().map(|&x| f(x)).sum::<f64>() / LEN as f64;
    // E xᵏ of a standard normal, and the standard deviation of xᵏ.
    for (power, expected, spread) in
        [(1, 0.0, 1.0), (2, 1.0, 2_f64.sqrt()), (3, 0.0, 15_f64.sqrt()), (4, 3.0, 96_f64.sqrt())]
    {
        let moment = mean(&|x| x.powi(power));
        assert!((moment - expected).abs() < 6.0 * spread / root, "moment {power} is {moment}");
    }
    for (border, expected) in [(1.0, 0.682_689_492), (2.0, 0.954_499_736)] {
        let share = mean(&|x| f64::from(u8::from(x.abs() < border)));
        assert!((share - expected).abs() < 3.0 / root, "{share} lie within {border}");
    }
    // The two of a pair, and neighbours of different pairs, are independent.
    for lag in [1, 2] {
        let products = numbers.iter().zip(&numbers[lag..]).map(|(x, y)| x * y);
        assert!((products.sum::<f64>() / LEN as f64).abs() < 6.0 / root);
    }
}

#[test]
fn normal_numbers_are_normal() {
    check_normal::<f64>(1.0, 3);
    check_normal::<f32>(1.0, 4);
    check_normal::<f64>(0.01, 5);
}

#[test]
fn normal_numbers_do_not_depend_on_how_many_follow() {
    let (mut long, mut short) = ([0.0_f32; 10], [0.0_f32; 7]);
    Pcg32::new(0, Stream::Noise).normal(2.0, &mut long);
    Pcg32::new(0, Stream::Noise).normal(2.0, &mut short);
    assert_eq!(long[..7], short);
}
