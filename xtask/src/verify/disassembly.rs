//! No fused multiply-add in our own functions: the compiler's output is read.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::setup::{ARM_OBJDUMP, OBJDUMP, Tool};
use crate::spawn::Run;

/// How to disassemble for a machine.
pub(super) struct Machine {
    program: Tool,
    /// Beginnings of the instructions' names.
    fused: &'static [&'static str],
    /// Parts of the names of functions to look at; all others' if empty.
    ours: &'static [&'static str],
}

/// The machine that this was compiled for.
pub(super) const HOST: Machine = Machine {
    program: OBJDUMP,
    fused: if cfg!(target_arch = "x86_64") {
        &["vfmadd", "vfmsub", "vfnmadd", "vfnmsub"]
    } else {
        &["fmadd", "fmsub", "fnmadd", "fnmsub", "fmla", "fmls"]
    },
    ours: &["gradflow", "reference"],
};

/// Cortex-M: an image has nothing but our own functions and what they call.
pub(super) const CORTEX_M: Machine =
    Machine { program: ARM_OBJDUMP, fused: &["vfma", "vfms", "vfnma", "vfnms"], ours: &[] };

/// Fails if one of our functions has a fused instruction.
pub(super) fn check(binary: &Path, machine: &Machine) -> Result<()> {
    let found = fused(binary, machine)?;
    ensure!(
        found.is_empty(),
        "{} has fused instructions, which round once where others round twice: {}",
        binary.display(),
        found.join(", ")
    );
    Ok(())
}

/// Functions of ours with a fused instruction.
pub(super) fn fused(binary: &Path, machine: &Machine) -> Result<Vec<String>> {
    let program = machine.program.path()?;
    let text = Run::new(program).args(["-d", "--no-show-raw-insn"]).arg(binary).text()?;
    let (functions, found) = search(&text, machine);
    ensure!(functions > 0, "the disassembly of {} shows no function of ours", binary.display());
    Ok(found)
}

/// How many functions of ours a disassembly shows, and which have a fused instruction.
fn search(text: &str, machine: &Machine) -> (usize, Vec<String>) {
    let (mut function, mut ours) = ("", false);
    let (mut functions, mut found) = (0, Vec::new());
    for line in text.lines() {
        if let Some((_, name)) = line.strip_suffix(">:").and_then(|line| line.split_once('<')) {
            function = name;
            ours = machine.ours.is_empty() || machine.ours.iter().any(|part| name.contains(part));
            functions += usize::from(ours);
        } else if ours
            && let Some((_, instruction)) = line.split_once(':')
            && machine.fused.iter().any(|name| instruction.trim_start().starts_with(name))
            && found.last().is_none_or(|last| last != function)
        {
            found.push(function.to_string());
        }
    }
    (functions, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
0000000000001000 <_ZN13gradflow_core6linalg3dot>:
    1000:\tmulps  %xmm1,%xmm0
    1004:\tvfmadd231ss %xmm1,%xmm2,%xmm0
    1009:\tvfmadd231ss %xmm1,%xmm2,%xmm0
0000000000002000 <_ZN4libm4fmaf>:
    2000:\tvfmadd231ss %xmm1,%xmm2,%xmm0
0000000000003000 <_ZN13gradflow_core6linalg4axpy>:
    3000:\taddps  %xmm1,%xmm0
";

    fn x86(ours: &'static [&'static str]) -> Machine {
        Machine { program: OBJDUMP, fused: &["vfmadd"], ours }
    }

    #[test]
    fn a_fused_instruction_of_ours_is_found_and_libm_s_is_not() {
        let found = vec!["_ZN13gradflow_core6linalg3dot".to_string()];
        assert_eq!(search(TEXT, &x86(&["gradflow"])), (2, found));
        assert_eq!(search(TEXT, &x86(&["axpy"])), (1, Vec::new()));
        assert_eq!(search(TEXT, &x86(&[])).1.len(), 2);
    }

    #[test]
    fn cortex_m_s_instruction_that_rounds_twice_is_allowed() {
        let text = |instruction: &str| {
            format!("08000400 <main>:\n 8000400:      \t{instruction}\ts0, s1, s2\n")
        };
        assert_eq!(search(&text("vmla.f32"), &CORTEX_M), (1, Vec::new()));
        assert_eq!(search(&text("vfma.f32"), &CORTEX_M), (1, vec!["main".to_string()]));
    }
}
