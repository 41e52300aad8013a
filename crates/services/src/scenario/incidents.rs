//! Texts of the demonstration alerts.

use northgate_domain::Severity::{self, Critical, Error, Info, Warning};

/// Names of the operators who act on demonstration alerts.
pub(super) const OPERATORS: [&str; 3] = ["Anna Krause", "Ben Okafor", "Chiara Moretti"];

/// Notes of operators who work on an alert.
pub(super) const NOTES: [&str; 6] = [
    "On my way",
    "Known since the maintenance on Tuesday, ticket OPS-4711",
    "Called the shift lead, she checks the valve",
    "Restarted the service, watching it for ten minutes",
    "Spare part is ordered",
    "Handed over to the night shift",
];

/// Notes of operators who resolve an alert.
pub(super) const RESOLUTIONS: [&str; 4] = [
    "False alarm, the sensor was cleaned",
    "Rolled back to the previous release",
    "Replaced, values are normal again",
    "Fixed, cause is in ticket OPS-4723",
];

/// An incident of the demonstration. `{n}` in its message stands for a number from 1 to 12.
pub(super) struct Incident {
    pub(super) severity: Severity,
    pub(super) source: &'static str,
    pub(super) message: &'static str,
    pub(super) locations: &'static [&'static str],
    pub(super) labels: &'static [(&'static str, &'static str)],
    pub(super) url: Option<&'static str>,
}

const fn incident(
    severity: Severity,
    source: &'static str,
    message: &'static str,
    locations: &'static [&'static str],
    labels: &'static [(&'static str, &'static str)],
    url: Option<&'static str>,
) -> Incident {
    Incident { severity, source, message, locations, labels, url }
}

const GATES: &[&str] = &["North Gate", "South Gate", "Loading Dock 3"];
const HALLS: &[&str] = &["Hall A / Line 1", "Hall A / Line 2", "Hall B / Line 4"];
const TANKS: &[&str] = &["Tank Farm East", "Tank Farm West"];
const RACKS: &[&str] = &["Data Centre 1 / Rack 07", "Data Centre 1 / Rack 12", "Data Centre 2"];
const OFFICES: &[&str] = &["Office Building / Floor 2", "Office Building / Floor 5"];

const PLANT: &[(&str, &str)] = &[("zone", "north"), ("shift", "late"), ("plc", "s7")];
const UTILITIES: &[(&str, &str)] = &[("zone", "south"), ("shift", "late"), ("team", "utilities")];
const SITE: &[(&str, &str)] = &[("zone", "perimeter"), ("team", "security")];
const WEB: &[(&str, &str)] = &[("env", "prod"), ("team", "web"), ("cluster", "main")];
const DATA: &[(&str, &str)] = &[("env", "prod"), ("team", "data"), ("cluster", "main")];
const STAGING: &[(&str, &str)] = &[("env", "staging"), ("team", "platform")];

/// A text with several paragraphs, for the layout of long messages.
const LONG: &str = "\
The nightly reconciliation of stock levels found differences between the warehouse system and the \
ledger in 214 of 18,902 positions. The largest difference is 1,440 pieces of article 88-2013-B \
(sealing ring, 42 mm), which were booked out twice after the scanner at Loading Dock 3 lost its \
connection and sent its buffer again.\n\n\
The job corrected 198 positions automatically. The other 16 positions need a decision, because they \
were changed by hand between 22:00 and 23:30 while the job was running:\n\
- 12 positions in aisle 7 (counted, but not released)\n\
- 3 positions in the cold store (batch number is missing)\n\
- 1 position without an owner\n\n\
Orders that contain one of these articles are on hold. The next run starts at 02:00 and repeats the \
comparison. If the positions are not released until then, the transport to the southern region leaves \
without them, and the dispatcher must inform 7 customers. The full report lists each position with its \
last three bookings.\n\n\
Checks before a release: count the shelf, compare the batch number with the delivery note, and confirm \
the position on the scanner, not in the office. A release without a count is reported to the auditors.";

/// Every demonstration incident. A scenario uses each one before it uses one again.
pub(super) const INCIDENTS: [Incident; 24] = [
    incident(Warning, "camera-{n}", "Motion detected outside opening hours", GATES, SITE, None),
    incident(Error, "access-control", "Door {n} was forced open", GATES, SITE, None),
    incident(
        Info,
        "access-control",
        "Badge reader {n} is offline, battery low",
        OFFICES,
        SITE,
        None,
    ),
    incident(
        Critical,
        "fire-panel",
        "Smoke detector {n} triggered 🔥 evacuate the area",
        HALLS,
        SITE,
        Some("https://intranet.example.com/evacuation"),
    ),
    incident(
        Critical,
        "plc-press",
        "Hydraulic pressure of press {n} is 312 bar (limit 280 bar)",
        HALLS,
        PLANT,
        Some("https://wiki.example.com/runbooks/press-overpressure"),
    ),
    incident(Error, "plc-conveyor", "Conveyor {n} stopped: drive overload", HALLS, PLANT, None),
    incident(Warning, "plc-oven", "Oven {n} is 14 °C above its set point", HALLS, PLANT, None),
    incident(Warning, "vibration", "Bearing of fan {n} vibrates at 7.8 mm/s", HALLS, PLANT, None),
    incident(
        Info,
        "plc-robot",
        "Robot cell {n} is waiting for material",
        HALLS,
        PLANT,
        Some("https://mes.example.com/cells"),
    ),
    incident(Error, "tank-level", "Tank {n} is at 97 % and still filling", TANKS, UTILITIES, None),
    incident(Warning, "gas-sensor", "Methane at sensor {n}: 11 % LEL", TANKS, UTILITIES, None),
    incident(
        Warning,
        "pump-control",
        "انخفاض ضغط المضخة رقم {n} عن الحد الأدنى",
        TANKS,
        UTILITIES,
        Some("https://wiki.example.com/runbooks/pump-pressure"),
    ),
    incident(Info, "hvac", "Filter of air handling unit {n} is due", OFFICES, UTILITIES, None),
    incident(Error, "ups", "UPS {n} runs on battery, 18 minutes left", RACKS, UTILITIES, None),
    incident(
        Critical,
        "prometheus",
        "Checkout returns 5xx for 12 % of requests (node web-{n})",
        RACKS,
        WEB,
        Some("https://grafana.example.com/d/checkout?orgId=1&from=now-1h"),
    ),
    incident(
        Error,
        "prometheus",
        "p99 latency of api-{n} is 2.4 s",
        RACKS,
        WEB,
        Some("https://grafana.example.com/d/latency"),
    ),
    incident(Warning, "prometheus", "Disk /var of db-{n} is 91 % full", RACKS, DATA, None),
    incident(
        Error,
        "postgres",
        "Replica db-{n} is 340 s behind its primary",
        RACKS,
        DATA,
        Some("https://wiki.example.com/runbooks/replication"),
    ),
    incident(
        Warning,
        "cert-manager",
        "Certificate of shop-{n}.example.com expires",
        RACKS,
        WEB,
        None,
    ),
    incident(
        Info,
        "ci",
        "Deployment of web {n}.4.0 finished",
        RACKS,
        STAGING,
        Some("https://ci.example.com/pipelines/81442"),
    ),
    incident(
        Warning,
        "backup",
        "Backup of volume {n} took 3 h longer than usual",
        RACKS,
        DATA,
        None,
    ),
    incident(
        Info,
        "network",
        "Port {n} of switch core-2 changed to 1 Gbit/s",
        OFFICES,
        STAGING,
        None,
    ),
    incident(
        Error,
        "kubernetes",
        "Pod worker-{n} restarts in a loop (OOMKilled)",
        RACKS,
        WEB,
        None,
    ),
    incident(
        Warning,
        "reconciliation",
        LONG,
        &["Warehouse / Aisle 7"],
        DATA,
        Some("https://reports.example.com/reconciliation/2026-11-27"),
    ),
];
