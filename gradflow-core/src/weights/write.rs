//! The writer.

use super::{decimal, file_len};
use crate::error::{Buffer, Error, Quantity};
use crate::float::Float;
use crate::linalg::all_finite;
use crate::network::TwoLayer;

/// Writes the weights as a safetensors file to the start of `bytes`; returns its length.
///
/// # Errors
/// [`Error::Length`] unless `w` has one entry a parameter and `bytes` has at least
/// [`file_len`] entries, [`Error::NotFinite`] for a weight that is not finite,
/// [`Error::Unsupported`] for an output scale that is 0 or not finite. Nothing is written then.
pub fn write<T: Float>(network: &TwoLayer<T>, w: &[T], bytes: &mut [u8]) -> Result<usize, Error> {
    let layers = network.layers(w)?;
    if !all_finite(w) {
        let what = Quantity::Weights;
        return Err(Error::NotFinite { what });
    }
    if !network.scale().is_finite() || network.scale() == T::ZERO {
        return Err(Error::Unsupported("the output scale must be finite and not 0"));
    }
    Error::check_room(Buffer::Bytes, file_len(network), bytes.len())?;

    let mut out = Writer { bytes, len: 0 };
    out.header(network);
    out.numbers(layers.hidden.iter());
    for unit in 0..network.hidden() {
        // A row of the file's `output` is a column of the network's.
        let column = layers.output.iter().skip(unit);
        out.numbers(column.step_by(network.hidden().max(1)));
    }
    out.numbers(layers.output_bias.iter());
    Ok(out.len)
}

/// Bytes with room for what is pushed.
struct Writer<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn push(&mut self, text: &[u8]) {
        let place = self.bytes.iter_mut().skip(self.len);
        for (to, &from) in place.zip(text) {
            *to = from;
        }
        self.len += text.len();
    }

    /// The header's length and the header, padded so that the numbers start at a multiple of 8.
    fn header<T: Float>(&mut self, network: &TwoLayer<T>) {
        let (d, m, k) = (network.inputs(), network.hidden(), network.outputs());
        self.push(&[0; 8]);
        self.push(b"{");
        if network.scale() != T::ONE {
            self.push(b"\"__metadata__\":{\"output_scale\":\"");
            self.decimal(network.scale());
            self.push(b"\"},");
        }
        let end = self.tensor::<T>(b"hidden", &[d + 1, m], 0);
        self.push(b",");
        let end = self.tensor::<T>(b"output", &[m, k], end);
        if network.output_bias() {
            self.push(b",");
            self.tensor::<T>(b"output_bias", &[k], end);
        }
        self.push(b"}");
        while !self.len.is_multiple_of(8) {
            self.push(b" ");
        }
        let len = self.len as u64 - 8;
        if let Some(place) = self.bytes.first_chunk_mut() {
            *place = len.to_le_bytes();
        }
    }

    /// A tensor's entry of the header; returns where its data ends.
    fn tensor<T: Float>(&mut self, name: &[u8], shape: &[usize], start: usize) -> usize {
        let end = start + shape.iter().product::<usize>() * T::BYTES;
        self.push(b"\"");
        self.push(name);
        self.push(if T::BYTES == 4 {
            b"\":{\"dtype\":\"F32\",\"shape\":["
        } else {
            b"\":{\"dtype\":\"F64\",\"shape\":["
        });
        self.list(shape);
        self.push(b"],\"data_offsets\":[");
        self.list(&[start, end]);
        self.push(b"]}");
        end
    }

    fn list(&mut self, numbers: &[usize]) {
        for (i, &number) in numbers.iter().enumerate() {
            if i > 0 {
                self.push(b",");
            }
            self.push(Digits::of(number as u64).text());
        }
    }

    /// As few digits as bring the number back, with an exponent: `2.5e-1`.
    fn decimal<T: Float>(&mut self, x: T) {
        let (digits, power) = decimal::shortest(x);
        if x < T::ZERO {
            self.push(b"-");
        }
        let digits = Digits::of(digits);
        let (first, rest) = digits.text().split_at_checked(1).unwrap_or_default();
        self.push(first);
        if !rest.is_empty() {
            self.push(b".");
            self.push(rest);
        }
        self.push(if power < 0 { b"e-" } else { b"e" });
        self.push(Digits::of(u64::from(power.unsigned_abs())).text());
    }

    fn numbers<'n, T: Float>(&mut self, numbers: impl Iterator<Item = &'n T>) {
        let mut data = self.bytes.get_mut(self.len..).unwrap_or_default();
        for number in numbers {
            let Some((place, rest)) = data.split_at_mut_checked(T::BYTES) else {
                return;
            };
            number.write_le_slice(place);
            data = rest;
            self.len += T::BYTES;
        }
    }
}

/// A number's decimal digits, at the end of the buffer.
struct Digits {
    buffer: [u8; 20],
    start: usize,
}

impl Digits {
    fn of(mut number: u64) -> Self {
        let mut this = Self { buffer: [b'0'; 20], start: 19 };
        for (place, digit) in this.buffer.iter_mut().enumerate().rev() {
            *digit += (number % 10) as u8;
            number /= 10;
            this.start = place;
            if number == 0 {
                break;
            }
        }
        this
    }

    fn text(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::PREAMBLE;

    #[test]
    fn the_longest_header_fits() {
        let wide = |inputs, hidden, outputs| {
            let network = TwoLayer::new(inputs, hidden, outputs).unwrap();
            let network = network.with_output_bias(true).with_scale(-f64::MIN_POSITIVE * 1.1);
            let mut bytes = [0; 2 * PREAMBLE];
            let mut out = Writer { bytes: &mut bytes, len: 0 };
            out.header(&network);
            out.len
        };
        assert!(wide(1, 715_827_882, 1) <= PREAMBLE);
        assert!(wide(1_073_741_822, 1, 1_073_741_823) <= PREAMBLE);
        assert!(wide(2_147_483_645, 1, 1) <= PREAMBLE);
    }
}
