//! What the program does with a folder of data instead of serving it.

use crate::configuration::DataFolder;
use crate::system::draw_epoch;
use northgate_storage_sqlite::{
    BackupError, CheckError, Checked, ExportError, ExportRange, ImportError, OpenError, backup,
    check, export, import, renew_epoch,
};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Something to do, and the folder to do it with.
#[derive(Debug)]
pub struct Maintenance {
    /// The folder of the data.
    pub folder: DataFolder,
    /// What to do.
    pub command: MaintenanceCommand,
}

/// What can be done with data.
#[derive(Debug)]
pub enum MaintenanceCommand {
    /// Say whether it is whole.
    Check,
    /// Say that, and give its log a new name.
    RenewEpoch,
    /// Copy it into a new file.
    Backup(PathBuf),
    /// Write it as lines.
    Export(ExportRange),
    /// Make it from the lines of a file, or of standard input.
    Import(Option<PathBuf>),
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The data is not known to be whole.
    #[error("the data in {} {}", folder.display(), one_line(source))]
    Check {
        /// The folder of the data.
        folder: PathBuf,
        /// What was found.
        source: CheckError,
    },
    /// Its log has the name that it had.
    #[error(transparent)]
    RenewEpoch(#[from] OpenError),
    /// There is no copy.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Not everything was written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// There is no new data.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The file with the lines cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Lines {
        /// The file that was named.
        file: PathBuf,
        /// Why the system said no.
        source: io::Error,
    },
    /// What was done cannot be told.
    #[error("cannot write: {0}")]
    Say(#[from] io::Error),
}

impl Maintenance {
    /// Does it, and writes to `out` what there is to tell.
    pub fn run(&self, mut out: impl Write + Send + 'static) -> Result<(), MaintenanceError> {
        let folder = self.folder.path();
        let shown = folder.display();
        match &self.command {
            MaintenanceCommand::Check => {
                let Checked { head, events, older_schema } = whole(folder)?;
                let offset = head.offset;
                write!(
                    out,
                    "the data in {shown} is whole: {events} events, the newest at offset {offset}"
                )?;
                if let Some(schema) = older_schema {
                    write!(out, " (schema {schema}; the server brings it up to date at start)")?;
                }
                writeln!(out)?;
            }
            MaintenanceCommand::RenewEpoch => {
                whole(folder)?;
                renew_epoch(folder, draw_epoch())?;
                writeln!(out, "the data in {shown} is whole, and its log has a new name")?;
            }
            MaintenanceCommand::Backup(file) => {
                backup(folder, file, draw_epoch())?;
                writeln!(out, "the data in {shown} is copied to {}", file.display())?;
            }
            MaintenanceCommand::Export(range) => {
                export(folder, *range, out)?;
                return Ok(());
            }
            MaintenanceCommand::Import(file) => {
                let counts = import(folder, &mut *lines_of(file.as_deref())?, draw_epoch())?;
                writeln!(
                    out,
                    "{} events, {} alerts, {} messages and {} idempotency keys are in {shown} now",
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

/// SQLite reports each fault of a file in a line of its own.
fn one_line(error: &CheckError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
