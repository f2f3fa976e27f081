//! As much of JSON as a header needs: objects, strings, lists and natural numbers.

use crate::error::Error;

pub(super) const OBJECT: [u8; 2] = *b"{}";
pub(super) const LIST: [u8; 2] = *b"[]";

const INVALID: Error =
    Error::Format("the header is not the JSON of a safetensors file, or it is damaged");

/// The part of a text that is still to be read.
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Takes `byte` if it comes next.
    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        match self.rest {
            [next, rest @ ..] if *next == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        self.accept(byte).then_some(()).ok_or(INVALID)
    }

    /// Nothing but white space may follow.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.skip_space();
        self.rest.is_empty().then_some(()).ok_or(INVALID)
    }

    /// Items between brackets, parted by commas; `item` reads one.
    pub(super) fn items(
        &mut self,
        [open, close]: [u8; 2],
        mut item: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.expect(open)?;
        if self.accept(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.accept(close) {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// The key of an object's member, and the colon.
    pub(super) fn key(&mut self) -> Result<&'a [u8], Error> {
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// A string as it stands in the text, its escapes checked and left as they are.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Error> {
        self.expect(b'"')?;
        let text = self.rest;
        loop {
            self.rest = match self.rest {
                [b'"', rest @ ..] => {
                    let len = text.len() - self.rest.len();
                    self.rest = rest;
                    return text.get(..len).ok_or(INVALID);
                }
                [b'\\', b'u', a, b, c, d, rest @ ..]
                    if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) =>
                {
                    rest
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => rest,
                [b'\\' | ..0x20, ..] | [] => return Err(INVALID),
                [_, rest @ ..] => rest,
            };
        }
    }

    /// A natural number, without sign, fraction or leading zeros.
    pub(super) fn natural(&mut self) -> Result<usize, Error> {
        self.skip_space();
        let mut value = match self.rest {
            [digit @ b'0'..=b'9', rest @ ..] => {
                self.rest = rest;
                usize::from(digit - b'0')
            }
            _ => return Err(INVALID),
        };
        while let [digit @ b'0'..=b'9', rest @ ..] = self.rest {
            if value == 0 {
                return Err(INVALID);
            }
            self.rest = rest;
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(usize::from(digit - b'0')))
                .ok_or(Error::Format("a number in the header is too large"))?;
        }
        Ok(value)
    }
}
