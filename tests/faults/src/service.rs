//! A running `blindrelay serve`: started, killed, asked to stop, started again at the same address with what it has kept.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use blindrelay_client::Client;
use rustix::process::{Pid, Signal, geteuid, kill_process};

/// What a service is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program `blindrelay`.
    pub program: PathBuf,
    /// Where its configuration, its log and, unless `configuration` says otherwise, its data are.
    pub folder: PathBuf,
    /// Its configuration, TOML.
    pub configuration: String,
    /// Where it listens. A service that is started again listens there again.
    pub address: SocketAddr,
    /// Commands of the shell that becomes the service, such as `ulimit`.
    pub before: String,
    /// A command that mounts what the service alone sees, and what ends with it.
    pub mounts: Option<String>,
    /// Variables of its environment.
    pub environment: Vec<(&'static str, String)>,
}

impl Setup {
    /// A service in a folder of its own, on a free port, configured by default.
    pub fn new(program: &Path, folder: &Path) -> Self {
        Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            configuration: String::new(),
            address: free_address(),
            before: String::new(),
            mounts: None,
            environment: Vec::new(),
        }
    }

    /// Whether this user may mount file systems that one process alone sees.
    pub fn can_mount() -> bool {
        let tried = unshare().args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    }

    /// Whether what it has kept is there for another process.
    pub fn survives(&self) -> bool {
        self.mounts.is_none()
    }

    fn command(&self) -> Command {
        let (mut command, before) = match &self.mounts {
            Some(mounts) => (unshare(), format!("{mounts} || exit 1\n{}", self.before)),
            None if self.before.is_empty() => return Command::new(&self.program),
            None => (Command::new("env"), self.before.clone()),
        };
        command.args(["sh", "-c", &format!("{before}\nexec \"$0\" \"$@\"")]).arg(&self.program);
        command
    }

    /// Starts it and waits until it listens.
    pub fn start(&self) -> Service {
        fs::create_dir_all(&self.folder).expect("a folder for the service");
        let configuration = self.folder.join("service.toml");
        fs::write(&configuration, &self.configuration).expect("the configuration is written");
        let log = OpenOptions::new().create(true).append(true).open(self.log()).expect("a file for the log");
        let mut command = self.command();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BLINDRELAY_") {
                command.env_remove(name);
            }
        }
        command.args(["serve", "--log", "warn", "--listen", &self.address.to_string(), "--config"]);
        command.arg(configuration).arg("--data").arg(self.folder.join("data"));
        command.envs(self.environment.iter().map(|(name, text)| (name, text)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let mut line = String::new();
        let out = child.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("the service speaks");
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let url = url.unwrap_or_else(|| panic!("the service does not listen: {}", self.last_of_the_log()));
        Service { child, url, setup: self.clone() }
    }

    /// Its address for clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("service.log")
    }

    fn last_of_the_log(&self) -> String {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        text.lines().last().unwrap_or("its log is empty").to_owned()
    }
}

/// A process, killed when it is dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    /// Where it listens.
    pub url: String,
    setup: Setup,
}

impl Service {
    /// What it was started with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Its number among the system's processes.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child of this process").is_none()
    }

    /// Ends it without a word, in the middle of whatever it does.
    pub fn kill(mut self) {
        self.child.kill().expect("a child of this process");
        self.child.wait().expect("a child of this process");
    }

    /// Asks it to stop, as a service manager does, and waits for its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, Signal::TERM).expect("a child of this process");
        self.child.wait().expect("a child of this process").code()
    }

    /// A client of this service alone.
    pub fn client(&self) -> Client {
        Client::builder(&self.url).build().expect("a client")
    }

    /// A client that sends every request once and waits so long, so that every refusal is seen.
    pub fn single(&self, limit: Duration) -> Client {
        Client::builder(&self.url).time_limit(limit).attempts(1).build().expect("a client")
    }

    /// What the service has logged, warnings and errors: how often each, with `#` for every number.
    pub fn warnings(&self) -> BTreeMap<String, usize> {
        let text = fs::read_to_string(self.setup.log()).unwrap_or_default();
        let mut warnings = BTreeMap::new();
        for line in text.lines() {
            // After the moment.
            let line = line.split_once("Z ").map_or(line, |(_, line)| line).trim();
            let mut warning = String::new();
            for letter in line.chars() {
                match letter.is_ascii_digit() {
                    true if warning.ends_with('#') => {}
                    true => warning.push('#'),
                    false => warning.push(letter),
                }
            }
            *warnings.entry(warning).or_insert(0) += 1;
        }
        warnings
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // After it has ended there is nothing left to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What runs a command in mounts of its own; who is not root becomes it there.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

/// A file of so many bytes, all of which take space.
pub fn fill(path: &Path, bytes: u64) -> std::io::Result<()> {
    rustix::fs::fallocate(File::create(path)?, rustix::fs::FallocateFlags::empty(), 0, bytes)?;
    Ok(())
}
