//! Running the binary.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Finished {
    /// The output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Panics unless the run succeeded.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Panics unless the run failed with this code and one line that has these words in it.
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let errors: Vec<&str> = self.err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{self:?}");
        for word in words {
            assert!(errors[0].contains(word), "'{word}' is not in {self:?}");
        }
    }
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blindrelay"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    for variable in ["BLINDRELAY_SERVICE", "BLINDRELAY_API_KEY", "BLINDRELAY_CA_FILE", "COLUMNS", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the binary to its end.
pub(crate) fn run(directory: &Path, arguments: &[&str]) -> Finished {
    run_with(directory, arguments, &[])
}

/// The same with variables of the environment.
pub(crate) fn run_with(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
    let output = command(directory, arguments).envs(variables.iter().copied()).output().unwrap();
    Finished {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Starts the binary and leaves it running.
pub(crate) fn spawn(directory: &Path, arguments: &[&str]) -> Child {
    command(directory, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A running `blindrelay serve`, stopped when it is dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
}

impl Service {
    /// Starts a service on a free port that keeps nothing; `more` are further arguments.
    pub(crate) fn start(directory: &Path, more: &[&str]) -> Self {
        Self::start_with(directory, &[&["--in-memory"], more].concat())
    }

    /// Starts a service on a free port that keeps what it has in the folder `data`.
    pub(crate) fn start_durable(directory: &Path) -> Self {
        Self::start_durable_with(directory, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_durable_with(directory: &Path, more: &[&str]) -> Self {
        Self::start_with(directory, &[&["--data", "data"], more].concat())
    }

    fn start_with(directory: &Path, more: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0", "--log", "off"], more].concat();
        let mut child = command(directory, &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("'{line}'")).to_owned();
        Self { child, url }
    }

    /// Ends it without a word, in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as a service manager does, and waits for its exit code.
    #[cfg(unix)]
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // After terminate() there is nothing left to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
