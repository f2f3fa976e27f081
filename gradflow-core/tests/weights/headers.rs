//! Headers written by hand: what people may write, and what must be refused.

use gradflow_core::Error;
use gradflow_core::weights::{self, Dtype, Header};

use super::le_bytes;

/// A file with this header.
pub(super) fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

pub(super) const HIDDEN: &str = r#""hidden":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}"#;
pub(super) const OUTPUT: &str = r#""output":{"dtype":"F32","shape":[3,1],"data_offsets":[24,36]}"#;

#[test]
fn files_of_people_are_read() {
    let spaced = format!(
        "{{ \"output_bias\" : {{\n\t\"data_offsets\" : [ 0 , 4 ], \"shape\":[ 1 ],\r\n\"dtype\" :\"F32\"}},\
         {}, {} , \"__metadata__\":{{ \"note\" : \"a \\\"b\\\" \\u00e9 {{}}\", \"output_scale\":\"+5.E-1\" }} }}  \n",
        r#""output":{"dtype":"F32","shape":[3,1],"data_offsets":[28,40]}"#,
        r#""hidden":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}"#,
    );
    let numbers: Vec<f32> = (0..10_u8).map(f32::from).collect();
    let bytes = file(&spaced, &le_bytes(&numbers));
    let header = Header::parse(&bytes).unwrap();
    assert_eq!((header.inputs, header.hidden, header.outputs), (1, 3, 1));
    assert_eq!((header.output_bias, header.scale, header.dtype), (true, 0.5, Dtype::F32));
    let mut w = [0.0_f32; 10];
    weights::read(&header, &bytes, &mut w).unwrap();
    assert_eq!(w, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 0.0]);
}

#[test]
fn what_is_malformed_is_named() {
    let both = |hidden: &str, output: &str| format!("{{{hidden},{output}}}");
    let swap = |from: &str, to: &str| {
        let text = both(HIDDEN, OUTPUT);
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let scale = |text: &str| format!("{{\"__metadata__\":{text},{HIDDEN},{OUTPUT}}}");
    let biased = |bias: &str| format!("{{{HIDDEN},{OUTPUT},\"output_bias\":{bias}}}");
    let cases = [
        (String::new(), "JSON"),
        ("[]".into(), "JSON"),
        ("{}".into(), "hidden is missing"),
        (format!("{{{HIDDEN}}}"), "output is missing"),
        (format!("{{{OUTPUT}}}"), "hidden is missing"),
        (format!("{{{HIDDEN},{OUTPUT}}}}}"), "JSON"),
        (format!("{{{HIDDEN},{OUTPUT}"), "JSON"),
        (format!("{{{HIDDEN},{OUTPUT},}}"), "JSON"),
        (both(HIDDEN, HIDDEN), "twice"),
        (swap("\"output\"", "\"outputs\""), "none of hidden"),
        (swap("\"F32\",\"shape\":[2,3]", "\"F16\",\"shape\":[2,3]"), "F32 or F64"),
        (swap("\"F32\",\"shape\":[3,1]", "\"F64\",\"shape\":[3,1]"), "differ in type"),
        (swap("\"dtype\":\"F32\",\"shape\":[2,3],", "\"shape\":[2,3],"), "needs dtype"),
        (swap("\"shape\":[2,3]", "\"shapes\":[2,3]"), "other than dtype"),
        (swap("\"shape\":[2,3]", "\"shape\":[2,3],\"shape\":[2,3]"), "twice"),
        (swap("[2,3]", "[2,3,1]"), "more than two"),
        (swap("[2,3]", "[6]"), "hidden must have"),
        (swap("[2,3]", "[1,6]"), "hidden must have"),
        (swap("[2,3]", "[3,2]"), "differ in their number"),
        (swap("[3,1]", "[1,3]"), "differ in their number"),
        (swap("[3,1]", "[3]"), "output must have"),
        (swap("[3,1]", "[3,0]"), "output must have"),
        (swap("[2,3]", "[02,3]"), "JSON"),
        (swap("[2,3]", "[2.0,3]"), "JSON"),
        (swap("[2,3]", "[-2,3]"), "JSON"),
        (swap("[2,3]", "[99999999999999999999,3]"), "too large"),
        (swap("[0,24]", "[0,20]"), "do not fit"),
        (swap("[0,24]", "[24,0]"), "do not fit"),
        (swap("[0,24]", "[24]"), "needs dtype"),
        (swap("[24,36]", "[16,28]"), "overlap"),
        (swap("[24,36]", "[28,40]"), "end is missing"),
        (swap("[0,24]", "[0,24,48]"), "more than two"),
        (
            swap("[2,3],\"data_offsets\":[0,24]", "[4294967297,3],\"data_offsets\":[0,12]"),
            "do not fit",
        ),
        (
            swap("[2,3],\"data_offsets\":[0,24]", "[6148914691236517206,3],\"data_offsets\":[0,8]"),
            "do not fit",
        ),
        (biased(r#"{"dtype":"F32","shape":[2],"data_offsets":[36,44]}"#), "output_bias must"),
        (biased(r#"{"dtype":"F32","shape":[1,0],"data_offsets":[36,36]}"#), "output_bias must"),
        (biased(r#"{"dtype":"F64","shape":[1],"data_offsets":[36,44]}"#), "differ in type"),
        (biased(r#"{"dtype":"F64","shape":[1],"data_offsets":[28,36]}"#), "differ in type"),
        (biased(r#"{"dtype":"F32","shape":[1],"data_offsets":[32,36]}"#), "overlap"),
        (scale("null"), "JSON"),
        (scale("{\"output_scale\":0.5}"), "JSON"),
        (scale("{\"output_scale\":\"\"}"), "output_scale"),
        (scale("{\"output_scale\":\"0\"}"), "output_scale"),
        (scale("{\"output_scale\":\"inf\"}"), "output_scale"),
        (scale("{\"output_scale\":\"nan\"}"), "output_scale"),
        (scale("{\"output_scale\":\"1e999\"}"), "output_scale"),
        (scale("{\"output_scale\":\"1\",\"output_scale\":\"1\"}"), "twice"),
        (scale("{\"a\":\"\\x\"}"), "JSON"),
        (scale("{\"a\":\"\n\"}"), "JSON"),
        (scale("{},\"__metadata__\":{}"), "twice"),
    ];
    assert!(Header::parse(&file(&both(HIDDEN, OUTPUT), &[0; 36])).is_ok());
    for (header, named) in cases {
        let refused = Header::parse(&file(&header, &[0; 36]));
        let Err(Error::Format(text)) = refused else {
            panic!("{header} gave {refused:?}");
        };
        assert!(text.contains(named), "{header} gave: {text}");
    }
    let named = |bytes: &[u8]| Header::parse(bytes).unwrap_err().to_string();
    assert!(named(&file(&both(HIDDEN, OUTPUT), &[0; 35])).contains("end is missing"));
    assert!(named(&file(&both(HIDDEN, OUTPUT), &[0; 37])).contains("belongs to no tensor"));
    assert!(named(&[0; 7]).contains("too short"));
    assert!(named(&[3, 0, 0, 0, 0, 0, 0, 0, b'{', 0x80, b'}']).contains("UTF-8"));
    assert!(named(&[0xff; 64]).contains("longer than the file"));
    assert!(named(&[0, 0, 0, 0, 1, 0, 0, 0, b'{', b'}']).contains("longer than the file"));
}
