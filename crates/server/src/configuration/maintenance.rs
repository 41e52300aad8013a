//! The command line of the maintenance commands.
#![expect(clippy::doc_markdown, reason = "these comments are the help text, which has no markup")]

use super::values::{DataFolder, moment};
use crate::{Maintenance, MaintenanceCommand};
use clap::{Args, Subcommand};
use northgate_domain::Timestamp;
use northgate_storage_sqlite::ExportRange;
use std::path::PathBuf;

/// Maintenance commands, which run instead of a server.
#[derive(Debug, Subcommand)]
pub(super) enum MaintenanceArguments {
    /// Read all data in a folder and report whether it is intact; a server may be using the folder
    Check {
        #[command(flatten)]
        data: Data,

        /// Also give the log a new epoch, for data that was copied without backup; no server may
        /// be using the folder. Clients that know the original then receive a gap
        #[arg(long)]
        new_epoch: bool,
    },
    /// Copy all data in a folder into a new file; a server may be using the folder
    Backup {
        #[command(flatten)]
        data: Data,

        /// New file for the copy; to restore it, put it as northgate.db into a new folder
        file: PathBuf,
    },
    /// Write all data in a folder to standard output as lines of JSON; a server may be using the
    /// folder
    Export {
        #[command(flatten)]
        data: Data,

        /// Write only data that began at this time or later, such as 2026-01-31T00:00:00Z; an
        /// export with a time limit cannot be imported [default: no limit]
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Option<Timestamp>,

        /// Write only data that began before this time, such as 2026-01-31T00:00:00Z; an export
        /// with a time limit cannot be imported [default: no limit]
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: Option<Timestamp>,
    },
    /// Import the lines of an export into a folder that has no data
    Import {
        #[command(flatten)]
        data: Data,

        /// File with the lines of an export [default: standard input]
        file: Option<PathBuf>,
    },
}

/// The folder of a maintenance command.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// Data folder [default: the configured folder] [env: NORTHGATE__STORAGE__DATA]
    #[arg(long, value_name = "FOLDER")]
    data: Option<DataFolder>,
}

impl MaintenanceArguments {
    /// Returns the command with its folder. Without `--data` the folder is `configured`, since most
    /// commands concern the data of the local server. `None` if neither names a folder.
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
