//! Maintenance commands on a data folder: check, backup, export, and import.

use crate::configuration::DataFolder;
use crate::system::draw_epoch;
use northgate_storage_sqlite::{
    BackupError, CheckError, Checked, ExportError, ExportRange, ImportError, OpenError, backup,
    check, export, import, renew_epoch,
};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// A maintenance command and its folder.
#[derive(Debug)]
pub struct Maintenance {
    /// The data folder.
    pub folder: DataFolder,
    /// The command.
    pub command: MaintenanceCommand,
}

/// A command on a data folder.
#[derive(Debug)]
pub enum MaintenanceCommand {
    /// Report whether the data is intact.
    Check,
    /// Check the data, and give its log a new epoch.
    RenewEpoch,
    /// Copy the data into this new file.
    Backup(PathBuf),
    /// Write the data to the output as lines of JSON.
    Export(ExportRange),
    /// Create the data from the lines of this file, or of standard input if `None`.
    Import(Option<PathBuf>),
}

/// Reason why a maintenance command failed.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The data is damaged or cannot be read.
    #[error("the data in {} {}", folder.display(), one_line(source))]
    Check {
        /// The data folder.
        folder: PathBuf,
        /// The problem that the check found.
        source: CheckError,
    },
    /// The log still has its old epoch.
    #[error(transparent)]
    RenewEpoch(#[from] OpenError),
    /// No copy was created.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The export is incomplete.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// No data was imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The file to import cannot be opened.
    #[error("cannot read {}: {source}", file.display())]
    Lines {
        /// Path of the file.
        file: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The result of the command cannot be written.
    #[error("cannot write the result: {0}")]
    Say(#[from] io::Error),
}

impl Maintenance {
    /// Runs the command and writes its result to `out`.
    pub fn run(&self, mut out: impl Write + Send + 'static) -> Result<(), MaintenanceError> {
        let folder = self.folder.path();
        let shown = folder.display();
        match &self.command {
            MaintenanceCommand::Check => {
                let Checked { head, events, older_schema } = whole(folder)?;
                let offset = head.offset;
                write!(
                    out,
                    "the data in {shown} is intact: {events} events, the newest at offset {offset}"
                )?;
                if let Some(schema) = older_schema {
                    write!(out, " (schema {schema}; the server updates it at start)")?;
                }
                writeln!(out)?;
            }
            MaintenanceCommand::RenewEpoch => {
                whole(folder)?;
                renew_epoch(folder, draw_epoch())?;
                writeln!(out, "the data in {shown} is intact, and its log has a new epoch")?;
            }
            MaintenanceCommand::Backup(file) => {
                backup(folder, file, draw_epoch())?;
                writeln!(out, "copied the data in {shown} to {}", file.display())?;
            }
            MaintenanceCommand::Export(range) => {
                export(folder, *range, out)?;
                return Ok(());
            }
            MaintenanceCommand::Import(file) => {
                let counts = import(folder, &mut *lines_of(file.as_deref())?, draw_epoch())?;
                writeln!(
                    out,
                    "imported {} events, {} alerts, {} messages and {} idempotency keys into {shown}",
                    counts.events, counts.alerts, counts.messages, counts.keys
                )?;
            }
        }
        out.flush()?;
        Ok(())
    }
}

fn whole(folder: &Path) -> Result<Checked, MaintenanceError> {
    check(folder).map_err(|source| MaintenanceError::Check { folder: folder.to_owned(), source })
}

fn lines_of(file: Option<&Path>) -> Result<Box<dyn BufRead>, MaintenanceError> {
    let Some(file) = file else {
        return Ok(Box::new(io::stdin().lock()));
    };
    let lines = File::open(file)
        .map_err(|source| MaintenanceError::Lines { file: file.to_owned(), source })?;
    Ok(Box::new(BufReader::new(lines)))
}

/// Joins the lines of an error, since SQLite reports each fault of a file in a separate line.
fn one_line(error: &CheckError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
