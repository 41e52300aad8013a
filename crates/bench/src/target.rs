//! The target of a measurement: a started server, a running server at a URL, or the floor.

use std::env;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::arguments::TargetArgs;
use crate::connect::{Endpoint, Protocol};
use crate::error::{BenchError, Result};
use crate::sampling;
use crate::server_process::{self, ServerProcess};

pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: Endpoint,
    is_floor: bool,
    pid: Option<u32>,
    process: Option<ServerProcess>,
}

impl Target {
    /// Starts the server, or uses the one at `--url`.
    pub(crate) fn server(args: &TargetArgs) -> Result<Self> {
        if let Some(url) = &args.url {
            let address = server_process::address_in(url);
            let address = address.ok_or_else(|| BenchError::BadUrl(url.clone()))?;
            let endpoint = web_socket(address, &args.path);
            return Ok(Self { address, endpoint, is_floor: false, pid: args.pid, process: None });
        }
        let mut arguments: Vec<String> =
            ["--host", "127.0.0.1", "--port", "0", "--generator-interval", "off"]
                .map(str::to_owned)
                .to_vec();
        if let Some(workers) = args.workers {
            arguments.extend(["--workers".to_owned(), workers.to_string()]);
        }
        arguments.extend_from_slice(&args.server_args);
        let program = args.server.clone().map_or_else(beside_this_program, Ok)?;
        Ok(Self::started(ServerProcess::start(&program, &arguments)?, &args.path))
    }

    /// Starts the floor as a second process of this program, so that its processor time is
    /// separate.
    pub(crate) fn floor(frame_bytes: usize) -> Result<Self> {
        let arguments = ["floor".to_owned(), frame_bytes.to_string()];
        let process = ServerProcess::start(&env::current_exe()?, &arguments)?;
        let started = Self::started(process, "/ws");
        Ok(Self { is_floor: true, ..started })
    }

    fn started(process: ServerProcess, path: &str) -> Self {
        let address = process.address;
        let pid = Some(process.pid());
        let endpoint = web_socket(address, path);
        Self { address, endpoint, is_floor: false, pid, process: Some(process) }
    }

    /// Reads events from an event stream from now on. Has no effect on the floor, which supports
    /// only WebSockets.
    pub(crate) fn read_event_stream(&mut self, path: &str) {
        if !self.is_floor {
            self.endpoint.protocol = Protocol::EventStream;
            path.clone_into(&mut self.endpoint.path);
        }
    }

    /// Returns the process to sample, for scenarios that need it.
    pub(crate) fn required_pid(&self) -> Result<u32> {
        self.pid.ok_or(BenchError::PidNeeded)
    }

    pub(crate) fn cpu_micros(&self) -> Result<Option<u64>> {
        self.pid.map(sampling::cpu_micros).transpose()
    }

    /// Sends SIGTERM to a server that the bench started.
    pub(crate) fn terminate(&self) {
        if let Some(process) = &self.process {
            process.terminate();
        }
    }

    /// Waits for the exit of a server that the bench started.
    pub(crate) fn wait(&mut self) -> Result<Option<ExitStatus>> {
        self.process.as_mut().map(ServerProcess::wait).transpose()
    }

    /// Returns the last line with `word` in the log of a server that the bench started and that has
    /// ended.
    pub(crate) fn last_line_with(&self, word: &str) -> Option<String> {
        self.process.as_ref().and_then(|process| process.last_line_with(word))
    }

    /// Returns the last log lines of a server that the bench started.
    pub(crate) fn last_lines(&self) -> String {
        self.process.as_ref().map_or_else(String::new, ServerProcess::last_lines)
    }
}

fn web_socket(address: SocketAddr, path: &str) -> Endpoint {
    Endpoint { address, path: path.to_owned(), protocol: Protocol::WebSocket }
}

fn beside_this_program() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("northgate"))
}
