use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use gradflow_core::{Pcg32, Stream};
use tempfile::TempDir;

use crate::data::{DataError, DataSet, Images, Part, idx};

const IMAGES: &str = "t10k-images-idx3-ubyte";
const LABELS: &str = "t10k-labels-idx1-ubyte";

fn header(magic: u32, lengths: &[u32]) -> Vec<u8> {
    let numbers = std::iter::once(&magic).chain(lengths);
    numbers.flat_map(|n| n.to_be_bytes()).collect()
}

/// Pixel j of image i, zero for most.
fn pixel(i: usize, j: usize) -> u8 {
    if (j + 3 * i) % 13 < 3 && j % 40 > 20 { (i * 31 + j) as u8 } else { 0 }
}

fn images(count: usize) -> Vec<u8> {
    let mut file = header(0x0803, &[count as u32, 28, 28]);
    file.extend((0..count).flat_map(|i| (0..784).map(move |j| pixel(i, j))));
    file
}

fn labels(count: usize) -> Vec<u8> {
    let mut file = header(0x0801, &[count as u32]);
    file.extend((0..count).map(|i| (i % 10) as u8));
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn load(folder: &Path) -> Result<DataSet<f32>, DataError> {
    Images::Mnist.load(Part::Test, Some(folder))
}

fn assert_is_right(set: &DataSet<f32>, count: usize) {
    assert_eq!((set.len(), set.inputs(), set.outputs()), (count, 784, 10));
    let mut row = Vec::new();
    for i in 0..count {
        set.copy_row(i, &mut row);
        let expected = (0..784).map(|j| f32::from(pixel(i, j)) / 255.0);
        assert!(expected.eq(row.iter().copied()), "image {i}");
        assert_eq!(usize::from(set.labels().unwrap()[i]), i % 10);
    }
}

#[test]
fn plain_and_gzipped_files_read_alike() {
    let (images, labels) = (images(23), labels(23));
    let (packed_images, packed_labels) = (gzip(&images), gzip(&labels));
    let plain = folder(&[(IMAGES, &images), (LABELS, &labels)]);
    let packed = folder(&[
        (&format!("{IMAGES}.gz"), &packed_images),
        (&format!("{LABELS}.gz"), &packed_labels),
    ]);
    let packed_under_plain_names = folder(&[(IMAGES, &packed_images), (LABELS, &labels)]);
    for folder in [plain, packed, packed_under_plain_names] {
        assert_is_right(&load(folder.path()).unwrap(), 23);
    }
}

#[test]
fn a_gzipped_file_may_have_several_members() {
    let whole = images(4);
    let (first, second) = whole.split_at(2_000);
    let packed = [gzip(first), gzip(second)].concat();
    let folder = folder(&[(IMAGES, &packed), (LABELS, &labels(4))]);
    assert_is_right(&load(folder.path()).unwrap(), 4);
}

#[test]
fn damage_is_named_with_its_file_and_place() {
    let (good, good_labels) = (images(3), labels(3));
    let whole = good.len();
    let cut = |n: usize| good[..n].to_vec();
    let longer = [good.clone(), vec![0]].concat();
    let packed = gzip(&good);
    let mut flipped = packed.clone();
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 4;
    let cut_packed = |less: usize| packed[..packed.len() - less].to_vec();
    let followed = [packed.clone(), b"more than a header".to_vec()].concat();
    let longer_packed = gzip(&longer);
    let huge = header(0x0803, &[u32::MAX, u32::MAX, u32::MAX]);
    let many = header(0x0803, &[130_000, 28, 28]);
    let eleven = [header(0x0801, &[3]), vec![0, 10, 1]].concat();
    let last = [header(0x0801, &[3]), vec![0, 1, 255]].concat();
    let many_labels = header(0x0801, &[99_999_999]);
    let small = [header(0x0803, &[3, 2, 2]), vec![1; 12]].concat();
    for (images, labels, expected) in [
        (vec![], labels(3), "byte 0: the file is cut short"),
        (cut(3), labels(3), "byte 0: the file is cut short"),
        (cut(15), labels(3), "byte 12: the file is cut short"),
        (cut(16), labels(3), "byte 16: the file is cut short"),
        (cut(whole - 1), labels(3), "byte 1584: the file is cut short"),
        (longer, labels(3), "byte 2368: bytes follow"),
        (good_labels.clone(), labels(3), "byte 0: the magic number is 0x00000801"),
        (huge, labels(3), "byte 4: the header promises 4294967295"),
        (many, labels(3), "byte 4: 130000 images of 28×28 pixels are too many"),
        (header(0x0803, &[0, 28, 28]), labels(3), "byte 4: the header promises 0"),
        (small, labels(3), "byte 8: images of 2×2 pixels, where mnist has 28×28"),
        (flipped, labels(3), "the gzip data are damaged"),
        (cut_packed(1), labels(3), "cut short"),
        (cut_packed(9), labels(3), "cut short"),
        (followed, labels(3), "the gzip data are damaged"),
        (longer_packed, labels(3), "byte 2368: bytes follow"),
        (good.clone(), labels(2), "byte 4: 2 labels for the 3 images"),
        (good.clone(), eleven, "byte 9: label 10 is not one of the 10 classes"),
        (good.clone(), last, "byte 10: label 255 is not"),
        (good.clone(), many_labels, "byte 8: the file is cut short"),
        (good.clone(), good.clone(), "byte 0: the magic number is 0x00000803"),
    ] {
        let folder = folder(&[(IMAGES, &images), (LABELS, &labels)]);
        let error = load(folder.path()).expect_err(expected);
        let text = error.to_string();
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(text.starts_with(folder.path().to_str().unwrap()), "{text}");
        assert!(text.contains("`cargo xtask data mnist --dir"), "{text}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn no_flipped_bit_of_gzipped_images_changes_them_unnoticed() {
    let path = Path::new("images.gz");
    let read = |file: Vec<u8>| {
        let content = idx::content(Cursor::new(file), path)?;
        idx::read_images::<f32>(content, path).map(|images| images.rows)
    };
    let packed = gzip(&images(1));
    let good = read(packed.clone()).unwrap();
    for bit in 0..packed.len() * 8 {
        let mut flipped = packed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // Some bits only change how the same content is packed.
        if let Ok(rows) = read(flipped) {
            assert_eq!(rows, good, "bit {bit}");
        }
    }
}

#[test]
fn a_promise_of_much_costs_nothing_before_it_is_kept() {
    let started = std::time::Instant::now();
    // 100 million entries are allowed, so that these headers pass the first check.
    let headers = [header(0x0803, &[127_551, 28, 28]), header(0x0803, &[1_525, 256, 256])];
    for header in headers {
        let error = idx::read_images::<f64>(&header[..], Path::new("x")).err().unwrap();
        assert!(error.to_string().contains("cut short"), "{error}");
    }
    assert!(started.elapsed().as_secs_f64() < 0.5);
}

#[test]
fn no_more_is_unpacked_than_the_header_promises() {
    /// Counts what is asked of an endless file of zeros.
    struct Endless<'a>(&'a mut u64);
    impl Read for Endless<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            out.fill(0);
            *self.0 += out.len() as u64;
            Ok(out.len())
        }
    }
    let mut read = 0;
    let header = header(0x0803, &[100, 28, 28]);
    let bomb = (&header[..]).chain(Endless(&mut read));
    let error = idx::read_images::<f32>(bomb, Path::new("bomb.gz")).err().unwrap();
    assert!(error.to_string().contains("bytes follow"), "{error}");
    assert_eq!(read, 78_401);
}

#[test]
fn a_place_that_was_named_is_refused_and_not_replaced() {
    let empty = TempDir::new().unwrap();
    let nowhere = empty.path().join("nowhere");
    let file = folder(&[("file", b"")]);
    for dir in [empty.path(), &nowhere, &file.path().join("file")] {
        let error = load(dir).unwrap_err();
        assert!(error.to_string().contains(IMAGES), "{error}");
        assert_eq!(error.exit_code(), 2, "{error}");
    }
}

#[test]
fn images_of_any_shape_lose_no_pixel() {
    // Of the largest, all is black but some single pixels far from one another.
    for (height, width) in [(1, 1), (3, 3), (1, 8), (5, 7), (17, 1), (40, 50)] {
        let pixel = |j| if height < 40 { (j % 3 * 100) as u8 } else { u8::from(j % 767 == 766) };
        let pixels: Vec<u8> = (0..2 * height * width).map(pixel).collect();
        let header = header(0x0803, &[2, height, width]);
        let file = [header, pixels.clone()].concat();
        let images = idx::read_images::<f64>(&file[..], Path::new("x")).unwrap();
        let mut dense = vec![0.0; pixels.len()];
        for (i, row) in dense.chunks_mut((height * width) as usize).enumerate() {
            for (column, value) in images.rows.as_slices().row(i).terms() {
                row[column] = value * 255.0;
            }
        }
        assert!(dense.iter().zip(&pixels).all(|(x, &p)| x.round() == f64::from(p)));
    }
}

#[test]
fn random_damage_is_an_error_and_never_a_panic() {
    let mut rng = Pcg32::new(0, Stream::Other);
    for file in [images(1), gzip(&images(1)), labels(30), gzip(&labels(30))] {
        for _ in 0..2_000 {
            let mut damaged = file.clone();
            for _ in 0..=rng.below(3) {
                // The header is short, and so is hit at half of the times.
                let range = [24, damaged.len() as u32][rng.below(2) as usize];
                damaged[rng.below(range) as usize] = rng.next() as u8;
            }
            damaged.truncate(rng.below(damaged.len() as u32 + 200) as usize);
            let path = Path::new("damaged");
            let content = || idx::content(Cursor::new(damaged.clone()), path).unwrap();
            let (images, labels) =
                (idx::read_images::<f32>(content(), path), idx::read_labels(content(), path, 10));
            assert!(images.is_err() || labels.is_err());
        }
    }
}
