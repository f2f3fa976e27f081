//! What one processor can do at most: multiply-adds from registers, and reads from its
//! second-level cache. One of the programs that `gradflow bench` measures, and so a process of its
//! own that answers one line a case; gradflow itself must not contain a fused instruction.

use std::io::{BufRead, Write};
use std::time::Instant;
use std::{fs, io, thread};

/// Bytes that are read again and again: as many as the weights of the network for MNIST have.
const BYTES: usize = 320 << 10;

/// Bytes of a line of the cache.
const LINE: usize = 64;

fn main() -> io::Result<()> {
    let say = |line: String| {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush())
    };
    let names: Vec<_> = limits::cases().iter().map(|name| format!("\"{name}\"")).collect();
    let names = names.join(",");
    say(format!(r#"{{"program":"machine","version":"","start_s":0,"cases":[{names}]}}"#))?;
    let buffer = vec![1_u8; BYTES + LINE];
    // Loads that cross a line would count double.
    let start = buffer.as_ptr().align_offset(LINE).min(LINE);
    let buffer = buffer.get(start..start + BYTES).unwrap_or_default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line == "memory" {
            say(r#"{"peak_mib":0}"#.into())?;
            continue;
        }
        let cpu = thread_seconds();
        let started = Instant::now();
        let Some(units) = limits::run(&line, buffer) else {
            return Err(io::Error::other(format!("there is no case {line:?}")));
        };
        let (wall, cpu) = (started.elapsed().as_secs_f64(), thread_seconds() - cpu);
        say(format!(r#"{{"wall_s":{wall:?},"cpu_s":{cpu:?},"units":{units:?}}}"#))?;
    }
    Ok(())
}

/// Processor time of this thread; 0 where the system does not tell. Its count is up to a tick late, some
/// milliseconds, but when the thread yields.
fn thread_seconds() -> f64 {
    thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) * 1e-9
}

/// In assembly, so that what is measured is the processor and not a compiler.
#[cfg(target_arch = "x86_64")]
mod limits {
    use std::arch::{asm, is_x86_feature_detected};

    /// A multiply and an add as gradflow dispatches them, never fused, by the bits of a register.
    const APART_256: &str = "apart-256";
    const APART_512: &str = "apart-512";
    /// The two fused.
    const FUSED_256: &str = "fused-256";
    const FUSED_512: &str = "fused-512";
    const SECOND_LEVEL: &str = "second-level";

    /// Turns of a loop of twelve multiply-adds, which do not wait for one another.
    const TURNS: u64 = 10_000_000;

    /// Times that the buffer is read.
    const PASSES: usize = 10_000;

    pub(crate) fn cases() -> Vec<&'static str> {
        let (avx, avx512) = (is_x86_feature_detected!("avx"), is_x86_feature_detected!("avx512f"));
        let all = [
            (avx, APART_256),
            (is_x86_feature_detected!("fma"), FUSED_256),
            (avx512, APART_512),
            (avx512, FUSED_512),
            (avx, SECOND_LEVEL),
        ];
        all.into_iter().filter_map(|(there, name)| there.then_some(name)).collect()
    }

    /// Does a case; returns its units.
    pub(crate) fn run(name: &str, buffer: &[u8]) -> Option<f64> {
        let name = cases().into_iter().find(|known| *known == name)?;
        // SAFETY: `cases` names only those whose instructions the processor has.
        let lanes = unsafe {
            match name {
                APART_256 => apart_256(),
                FUSED_256 => fused_256(),
                APART_512 => apart_512(),
                FUSED_512 => fused_512(),
                _ => {
                    (0..PASSES).for_each(|_| read(buffer));
                    return Some((PASSES * (buffer.len() & !511)) as f64);
                }
            }
            if name.ends_with("512") { 16 } else { 8 }
        };
        Some((TURNS * 12 * lanes) as f64)
    }

    /// A loop over an instruction or two, each time on a sum of its own, in registers 0 to 11.
    macro_rules! sums {
        ($name:ident, $code:ident $registers:literal) => {
            sums!(@$name, $code!($registers 0) $code!($registers 1) $code!($registers 2)
                $code!($registers 3) $code!($registers 4) $code!($registers 5)
                $code!($registers 6) $code!($registers 7) $code!($registers 8)
                $code!($registers 9) $code!($registers 10) $code!($registers 11));
        };
        (@$name:ident, $($code:expr)+) => {
            unsafe fn $name() {
                // SAFETY: registers alone; the caller has seen that the instructions exist.
                unsafe {
                    asm!(
                        "vzeroall",
                        "2:",
                        $($code,)+
                        "dec {turns}",
                        "jnz 2b",
                        "vzeroupper",
                        turns = inout(reg) TURNS => _,
                        out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                        out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                        out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                        out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                        options(nomem, nostack),
                    );
                }
            }
        };
    }

    macro_rules! apart {
        ($r:literal $sum:literal) => {
            concat!(
                "vmulps ",
                $r,
                "14, ",
                $r,
                "12, ",
                $r,
                "13\nvaddps ",
                $r,
                $sum,
                ", ",
                $r,
                $sum,
                ", ",
                $r,
                "14"
            )
        };
    }

    macro_rules! fused {
        ($r:literal $sum:literal) => {
            concat!("vfmadd231ps ", $r, $sum, ", ", $r, "12, ", $r, "13")
        };
    }

    sums!(apart_256, apart "ymm");
    sums!(fused_256, fused "ymm");
    sums!(apart_512, apart "zmm");
    sums!(fused_512, fused "zmm");

    /// Reads whole blocks of 512 bytes, 32 at a time.
    unsafe fn read(buffer: &[u8]) {
        let (start, blocks) = (buffer.as_ptr(), buffer.len() / 512);
        if blocks == 0 {
            return;
        }
        // SAFETY: reads `blocks` times 512 bytes of the buffer; the caller has seen AVX.
        unsafe {
            asm!(
                "2:",
                "vmovups ymm0, [{at}]", "vmovups ymm1, [{at} + 32]",
                "vmovups ymm0, [{at} + 64]", "vmovups ymm1, [{at} + 96]",
                "vmovups ymm0, [{at} + 128]", "vmovups ymm1, [{at} + 160]",
                "vmovups ymm0, [{at} + 192]", "vmovups ymm1, [{at} + 224]",
                "vmovups ymm0, [{at} + 256]", "vmovups ymm1, [{at} + 288]",
                "vmovups ymm0, [{at} + 320]", "vmovups ymm1, [{at} + 352]",
                "vmovups ymm0, [{at} + 384]", "vmovups ymm1, [{at} + 416]",
                "vmovups ymm0, [{at} + 448]", "vmovups ymm1, [{at} + 480]",
                "add {at}, 512",
                "dec {blocks}",
                "jnz 2b",
                "vzeroupper",
                at = inout(reg) start => _,
                blocks = inout(reg) blocks => _,
                out("xmm0") _, out("xmm1") _,
                options(readonly, nostack),
            );
        }
    }
}

/// Other processors are not known here.
#[cfg(not(target_arch = "x86_64"))]
mod limits {
    pub(crate) fn cases() -> Vec<&'static str> {
        Vec::new()
    }

    pub(crate) fn run(_name: &str, _buffer: &[u8]) -> Option<f64> {
        None
    }
}
