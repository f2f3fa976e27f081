#![no_std]
#![forbid(unsafe_code)]
//! core
#[cfg(any(feature = "std", test))]
extern crate std;
