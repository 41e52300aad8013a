//! A program as a process with its own folder and environment. The process ends with the test at
//! the latest.

use crate::client::Client;
use crate::patience::{EXIT_DEADLINE, PATIENCE, eventually, eventually_within};
use rustix::io::ioctl_fionbio;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Shell code that runs `$0` with its arguments after another command has succeeded.
const THEN_PROGRAM: &str = r#"&& exec "$0" "$@""#;

/// A process that has not been started yet.
#[must_use]
pub struct ProcessBuilder {
    folder: TempDir,
    words: Vec<String>,
    variables: Vec<(String, String)>,
    stdout: Stdio,
    stderr: Stdio,
    /// Reading ends of full pipes. These ends stay open, and nothing reads from them.
    unread: Vec<PipeReader>,
}

impl ProcessBuilder {
    /// Prepares a program with these flags, in an empty folder, with only `PATH` in its
    /// environment.
    pub fn new(program: &str, flags: &[&str]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            words: [&[program], flags].concat().into_iter().map(str::to_owned).collect(),
            variables: Vec::new(),
            stdout: Stdio::piped(),
            stderr: Stdio::piped(),
            unread: Vec::new(),
        }
    }

    /// Starts the program through another program, whose command line begins with `words`.
    fn started_by(mut self, words: &[&str]) -> Self {
        self.words.splice(0..0, words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// Starts the program from a shell that runs `before` first.
    pub fn after(self, before: &str) -> Self {
        self.started_by(&["sh", "-c", &format!("{before} {THEN_PROGRAM}")])
    }

    /// Starts the program without the capabilities that let root ignore file modes.
    pub fn bound_by_modes(self) -> Self {
        if !rustix::process::geteuid().is_root() {
            return self;
        }
        let without = "-dac_override,-dac_read_search";
        self.started_by(&["setpriv", "--bounding-set", without, "--"])
    }

    /// Starts the program in its own mount namespace, after the shell command `mount`. Other
    /// processes do not see the mounts of this namespace.
    pub fn with_mount(self, mount: &str) -> Self {
        // Only root may mount. Any other user therefore becomes root in a user namespace.
        let is_root = rustix::process::geteuid().is_root();
        let unshare = if is_root {
            &["unshare", "--mount"][..]
        } else {
            &["unshare", "--mount", "--map-root-user"]
        };
        self.after(mount).started_by(unshare)
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    /// Makes standard error a pipe whose other end is closed.
    pub fn closed_stderr(mut self) -> Self {
        let (_, writer) = std::io::pipe().unwrap();
        self.stderr = writer.into();
        self
    }

    /// Makes standard error a full pipe that is never read.
    pub fn stalled_stderr(mut self) -> Self {
        self.stderr = self.full_pipe();
        self
    }

    /// Makes standard output a full pipe that is never read.
    pub fn stalled_stdout(mut self) -> Self {
        self.stdout = self.full_pipe();
        self
    }

    fn full_pipe(&mut self) -> Stdio {
        let (reader, writer) = full_pipe();
        self.unread.push(reader);
        writer.into()
    }

    /// Starts the program on a free port, and waits for the address that it prints.
    pub fn serve(mut self) -> Process {
        self.words.extend(["--port", "0"].map(str::to_owned));
        let mut process = self.start();
        let line = process.stdout.recv_timeout(PATIENCE).expect("a first line on standard output");
        let address = line.strip_prefix("http://").map(str::parse);
        let address = address.expect("the line is a URL").expect("the URL contains an address");
        process.client = Some(Client::new(address));
        process.printed.push(line);
        process
    }

    /// Starts the program with the port of `address`, and waits until the program accepts
    /// connections there.
    pub fn serve_at(mut self, address: SocketAddr) -> Process {
        self.words.extend(["--port".to_owned(), address.port().to_string()]);
        let mut process = self.start();
        process.client = Some(Client::new(address));
        eventually(|| TcpStream::connect(address).is_ok());
        process
    }

    /// Starts the program, and waits for its end.
    #[track_caller]
    pub fn run(self) -> ProcessOutput {
        self.start().output_within(PATIENCE)
    }

    /// Starts the program, and does not wait.
    pub fn start(self) -> Process {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).current_dir(self.folder.path());
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.variables);
        let command = command.stdin(Stdio::null()).stdout(self.stdout).stderr(self.stderr);
        let mut child = command.spawn().unwrap();
        Process {
            stdout: child.stdout.take().map_or_else(|| channel().1, lines),
            stderr: child.stderr.take().map_or_else(|| channel().1, lines),
            child,
            printed: Vec::new(),
            logged: Vec::new(),
            client: None,
            _folder: self.folder,
            _unread: self.unread,
        }
    }
}

/// Returns a full pipe. A write to this pipe blocks until the other end is read.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    for size in [4_096, 1] {
        while writer.write(&vec![b'x'; size]).is_ok() {}
    }
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// Returns a channel with the lines of `stream` as they arrive, until the stream ends.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A running process, killed on drop. A process that was started with `serve` or `serve_at` can be
/// used as a [`Client`].
pub struct Process {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// Lines that were already read from standard output.
    printed: Vec<String>,
    /// Lines that were already read from standard error.
    logged: Vec<String>,
    client: Option<Client>,
    _folder: TempDir,
    _unread: Vec<PipeReader>,
}

impl Process {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        // Every shell has a built-in `kill`, but not every machine has a program `kill`.
        let command = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Whether a line on standard error contains `text`.
    pub fn has_logged(&mut self, text: &str) -> bool {
        self.logged.extend(self.stderr.try_iter());
        self.logged.iter().any(|line| line.contains(text))
    }

    /// Sends `TERM`, and waits for the end.
    #[track_caller]
    pub fn stop(self) -> ProcessOutput {
        self.signal("TERM");
        self.output()
    }

    /// Waits for the end, at most for [`EXIT_DEADLINE`].
    #[track_caller]
    pub fn output(self) -> ProcessOutput {
        self.output_within(EXIT_DEADLINE)
    }

    #[track_caller]
    fn output_within(mut self, limit: Duration) -> ProcessOutput {
        let status = eventually_within(limit, || self.child.try_wait().unwrap());
        let mut stdout = std::mem::take(&mut self.printed);
        let mut stderr = std::mem::take(&mut self.logged);
        // These reads end, because both streams end with the process.
        stdout.extend(self.stdout.iter());
        stderr.extend(self.stderr.iter());
        ProcessOutput { code: status.code(), stdout, stderr }
    }
}

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("the process was started to serve")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Result of a process that has ended, with every line that it wrote.
#[derive(Debug)]
pub struct ProcessOutput {
    /// `None` if a signal ended the process.
    pub code: Option<i32>,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
}

impl ProcessOutput {
    /// Asserts that the process exited with this code, and was not ended by a signal.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "often the code is all that matters")]
    pub fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Returns the number of lines on standard error that contain `text`.
    pub fn count_logged(&self, text: &str) -> usize {
        self.stderr.iter().filter(|line| line.contains(text)).count()
    }

    /// Whether a line on standard error contains `text`.
    pub fn has_logged(&self, text: &str) -> bool {
        self.count_logged(text) > 0
    }
}
