//! Lines from bytes, as a person types them or as noise happens to look.

use heapless::Vec;

/// Longest line in bytes.
pub(crate) const LONGEST: usize = 96;

/// What a byte completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A line is in [`Line::text`].
    Complete,
    /// A line was longer than [`LONGEST`], and is dropped.
    TooLong,
    /// A line held bytes that nobody types, or some were lost; it is dropped.
    Garbled,
}

/// A line in the making. Ends with a carriage return, a line feed or both; blanks around it and
/// empty lines do not count; backspace takes a character back.
#[derive(Debug)]
pub(crate) struct Line {
    text: Vec<u8, LONGEST>,
    wrong: Option<Event>,
    complete: bool,
}

impl Line {
    /// An empty line.
    pub(crate) const EMPTY: Self = Self { text: Vec::new(), wrong: None, complete: false };

    /// The line's text.
    #[must_use]
    pub(crate) fn text(&self) -> &[u8] {
        self.text.trim_ascii()
    }

    /// Marks the line as damaged.
    pub(crate) const fn damage(&mut self) {
        self.wrong = Some(Event::Garbled);
    }

    /// Adds a byte. After an event the next byte begins a new line.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Event> {
        if self.complete {
            *self = Self::EMPTY;
        }
        match byte {
            b'\r' | b'\n' => return self.end(),
            8 | 127 => {
                self.text.pop();
            }
            b'\t' | b' '..=b'~' => {
                if self.text.push(byte).is_err() && self.wrong.is_none() {
                    self.wrong = Some(Event::TooLong);
                }
            }
            _ => self.wrong = Some(Event::Garbled),
        }
        None
    }

    fn end(&mut self) -> Option<Event> {
        let event = match self.wrong {
            Some(event) => Some(event),
            None if self.text().is_empty() => None,
            None => Some(Event::Complete),
        };
        self.complete = true;
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec;

    /// The events of these bytes, with the text of complete lines.
    fn events(bytes: &[u8]) -> vec::Vec<(Event, String)> {
        let mut line = Line::EMPTY;
        let mut events = vec![];
        for &byte in bytes {
            if let Some(event) = line.push(byte) {
                let text = if event == Event::Complete { line.text() } else { b"" };
                events.push((event, String::from_utf8(text.to_vec()).unwrap()));
            }
        }
        events
    }

    #[test]
    fn lines_end_as_terminals_end_them() {
        let seen = events(b"dt 1\r\n\n  train 20 \rhelp\n half");
        let texts: vec::Vec<&str> = seen.iter().map(|(_, text)| &**text).collect();
        assert_eq!(texts, ["dt 1", "train 20", "help"]);
    }

    #[test]
    fn backspace_takes_back() {
        assert_eq!(events(b"\x08hlp\x7f\x08elp\n"), [(Event::Complete, "help".into())]);
    }

    #[test]
    fn overlong_lines_and_noise_cost_one_line_each() {
        let mut bytes = vec![b'x'; 10_000];
        bytes.extend(b"\nok\n\x00\xff\nok\n");
        let seen: vec::Vec<Event> = events(&bytes).into_iter().map(|(event, _)| event).collect();
        use Event::{Complete, Garbled, TooLong};
        assert_eq!(seen, [TooLong, Complete, Garbled, Complete]);
    }
}
