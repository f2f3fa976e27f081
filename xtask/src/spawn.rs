//! Other programs: each command is printed before it runs, and checked after it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const POLL: Duration = Duration::from_millis(20);

/// A command that is about to run.
pub(crate) struct Run {
    command: Command,
    limit: Option<Duration>,
}

impl Run {
    /// `program`, without arguments, in the present folder.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(program), limit: None }
    }

    /// The cargo that started this task, in the workspace's root.
    pub(crate) fn cargo(subcommand: &str) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self::new(cargo).arg(subcommand).dir(crate::workspace::root())
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in `folder`.
    pub(crate) fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Stops the program, and fails, when it takes longer.
    pub(crate) fn limit(mut self, seconds: u64) -> Self {
        self.limit = Some(Duration::from_secs(seconds));
        self
    }

    /// Prints the command, runs it to its end and fails unless it succeeds.
    pub(crate) fn run(mut self) -> Result<()> {
        eprintln!("$ {self}");
        let child = self.start()?;
        self.finish(child)
    }

    /// Runs the command unseen, as for a question, and returns what it wrote to standard output.
    /// Its messages (standard error) become part of the error when it fails.
    pub(crate) fn text(mut self) -> Result<String> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        let mut child = self.start()?;
        // Read beside the waiting: a full pipe would stop the program.
        let output = child.stdout.take().map(|pipe| thread::spawn(|| read(pipe)));
        let messages = child.stderr.take().map(|pipe| thread::spawn(|| read(pipe)));
        if let Err(error) = self.finish(child) {
            let said = messages.map(join_soon).unwrap_or_default();
            return Err(if said.is_empty() { error } else { error.context(said) });
        }
        Ok(output.map(join).unwrap_or_default())
    }

    /// Prints the command and becomes it: exit code, signals and terminal are its own.
    pub(crate) fn replace(mut self) -> Result<()> {
        eprintln!("$ {self}");
        #[cfg(unix)]
        {
            let error = std::os::unix::process::CommandExt::exec(&mut self.command);
            Err(error).with_context(|| format!("cannot start {self}"))
        }
        #[cfg(not(unix))]
        {
            let status = self.start()?.wait()?;
            std::process::exit(status.code().unwrap_or(1))
        }
    }

    /// The command itself, for a conversation through its pipes.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    fn start(&mut self) -> Result<Child> {
        self.command.spawn().with_context(|| format!("cannot start `{self}`"))
    }

    fn finish(&self, mut child: Child) -> Result<()> {
        let status = match self.limit {
            None => child.wait()?,
            Some(limit) => match wait_at_most(&mut child, limit)? {
                Some(status) => status,
                None => bail!("`{self}` was stopped: it took longer than {} s", limit.as_secs()),
            },
        };
        if !status.success() {
            bail!("`{self}` failed: {status}");
        }
        Ok(())
    }
}

/// The command as a person would type it into a shell.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.command.get_envs() {
            write!(f, "{}={} ", name.to_string_lossy(), quoted(value.unwrap_or_default()))?;
        }
        let program = Path::new(self.command.get_program());
        let cargo = program.file_stem() == Some(OsStr::new("cargo"));
        f.write_str(&if cargo { "cargo".into() } else { quoted(program.as_os_str()) })?;
        self.command.get_args().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// Where `program` is on the search path, if anywhere.
pub(crate) fn find(program: &str) -> Option<OsString> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
        .map(Into::into)
}

fn wait_at_most(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn read(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is still worth showing.
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn join(reader: thread::JoinHandle<String>) -> String {
    reader.join().unwrap_or_default()
}

/// What the program said before it failed. After a time-out a program of its own may still hold the
/// pipe open: then nothing, rather than waiting for it.
fn join_soon(reader: thread::JoinHandle<String>) -> String {
    let start = Instant::now();
    while !reader.is_finished() && start.elapsed() < 50 * POLL {
        thread::sleep(POLL);
    }
    if reader.is_finished() { join(reader).trim().to_string() } else { String::new() }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_=+,./:@%~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_typed() {
        let run = Run::new("tool").env("MODE", "a b").args(["--only", "sav*", "it's", ""]);
        assert_eq!(run.to_string(), r"MODE='a b' tool --only 'sav*' 'it'\''s' ''");
    }

    #[test]
    fn output_is_returned_and_failure_names_the_command_and_its_messages() {
        assert_eq!(Run::new("printf").arg("one\ntwo").text().unwrap(), "one\ntwo");
        let error = Run::new("sh").args(["-c", "echo why >&2; exit 3"]).text().unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("why") && text.contains("exit status: 3"), "{text}");
    }

    #[test]
    fn more_output_than_a_pipe_holds_does_not_block() {
        let run = Run::new("sh").args(["-c", "yes | head -c 300000"]).limit(60);
        assert_eq!(run.text().unwrap().len(), 300_000);
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let start = Instant::now();
        let error = Run::new("sleep").arg("60").limit(1).run().unwrap_err();
        assert!(error.to_string().contains("longer than 1 s"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Run::new("gradflow-no-such-program").run().unwrap_err();
        assert!(error.to_string().contains("gradflow-no-such-program"), "{error}");
        assert!(find("gradflow-no-such-program").is_none() && find("sh").is_some());
    }
}
