//! The command line of what the program does with a folder of data instead of serving it.
#![expect(clippy::doc_markdown, reason = "these comments are the help text, which has no markup")]

use super::values::{DataFolder, moment};
use crate::{Maintenance, MaintenanceCommand};
use clap::{Args, Subcommand};
use northgate_domain::Timestamp;
use northgate_storage_sqlite::ExportRange;
use std::path::PathBuf;

/// What the program does instead of serving.
#[derive(Debug, Subcommand)]
pub(super) enum MaintenanceArguments {
    /// Reads all data in a folder, in use by a server or not, and says whether it is whole
    Check {
        #[command(flatten)]
        data: Data,

        /// Give the log a new name as well, for data that was copied by other means than backup;
        /// no server may use it. Clients of what it was copied from are told of a gap
        #[arg(long)]
        new_epoch: bool,
    },
    /// Copies all data in a folder, in use by a server or not, into a new file
    Backup {
        #[command(flatten)]
        data: Data,

        /// File to make; named northgate.db in a folder of its own, it is data for a server
        file: PathBuf,
    },
    /// Writes all data in a folder, in use by a server or not, as lines of JSON
    Export {
        #[command(flatten)]
        data: Data,

        /// Only what began at this moment or later, such as 2026-01-31T00:00:00Z. A part by time
        /// cannot be imported
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Option<Timestamp>,

        /// Only what began before this moment
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: Option<Timestamp>,
    },
    /// Puts what was exported into a folder that has no data
    Import {
        #[command(flatten)]
        data: Data,

        /// File to read [default: standard input]
        file: Option<PathBuf>,
    },
}

/// Which folder it is about.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// Folder of the data [env: NORTHGATE__STORAGE__DATA]
    #[arg(long, value_name = "FOLDER")]
    data: Option<DataFolder>,
}

impl MaintenanceArguments {
    /// What is to be done, with the folder that is `configured` unless another one is named: a tool
    /// is most often used on the data that the server here keeps. `None` if there is no folder.
    pub(super) fn maintenance(self, configured: Option<DataFolder>) -> Option<Maintenance> {
        let (data, command) = match self {
            Self::Check { data, new_epoch: false } => (data, MaintenanceCommand::Check),
            Self::Check { data, new_epoch: true } => (data, MaintenanceCommand::RenewEpoch),
            Self::Backup { data, file } => (data, MaintenanceCommand::Backup(file)),
            Self::Export { data, since, until } => {
                (data, MaintenanceCommand::Export(ExportRange { since, until }))
            }
            Self::Import { data, file } => (data, MaintenanceCommand::Import(file)),
        };
        Some(Maintenance { folder: data.data.or(configured)?, command })
    }
}
