/**
 * Copies the files of the libraries that `libraries.json` names from their npm packages into
 * `assets/vendor/`, and their licences into `docs/licences/`.
 *
 *     node crates/dashboard/update-libraries.mjs            copies the versions of the manifest
 *     node crates/dashboard/update-libraries.mjs --latest   moves each library to its newest version
 *     node crates/dashboard/update-libraries.mjs --check    only compares files and manifest, offline
 *
 * A package whose hash differs from the `integrity` in the manifest is refused. Remove the value
 * by hand to accept a package that is not known yet.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {{ to: string, sha256: string }} Copy a file below `assets/vendor/` and its hash
 * @typedef {object} Library
 * @property {string} name the name of the npm package
 * @property {string} version
 * @property {string} integrity the hash of the package, as npm writes it
 * @property {string} licence an SPDX expression
 * @property {Record<string, string>} licence_files path in the package -> sha256 of that text
 * @property {Record<string, Copy>} files path in the package -> its copy
 */

const crate = dirname(fileURLToPath(import.meta.url));
const root = join(crate, "..", "..");
const manifestPath = join(crate, "libraries.json");
const vendor = join(crate, "assets", "vendor");
const licences = join(root, "docs", "licences");

const flags = process.argv.slice(2);
if (flags.length > 1 || !["--check", "--latest", undefined].includes(flags[0])) {
  console.error("usage: node crates/dashboard/update-libraries.mjs [--check | --latest]");
  process.exit(2);
}
/** @type {{ libraries: Library[] }} */
const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
if (flags[0] !== "--check") {
  for (const library of manifest.libraries) {
    update(library, flags[0] === "--latest");
  }
  writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
}
const findings = check(manifest.libraries);
for (const finding of findings) {
  console.error(finding);
}
process.exit(findings.length > 0 ? 1 : 0);

/**
 * Fetches the package of one library, copies its files, and writes the hashes into `library`.
 * @param {Library} library
 * @param {boolean} toLatest
 */
function update(library, toLatest) {
  const folder = mkdtempSync(join(tmpdir(), "libraries-"));
  try {
    if (toLatest) {
      const latest = npm(folder, "view", library.name, "version").trim();
      if (latest !== library.version) {
        console.log(`${library.name}: ${library.version} -> ${latest}`);
        library.version = latest;
        library.integrity = "";
      }
    }
    const archive = join(folder, fetchPackage(folder, library));
    execFileSync("tar", ["-xzf", archive, "-C", folder]);
    const unpacked = join(folder, "package");
    const description = JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8"));
    library.licence = description.license;
    for (const [from, copy] of Object.entries(library.files)) {
      copy.sha256 = copyFile(join(unpacked, from), join(vendor, copy.to));
    }
    for (const from of Object.keys(library.licence_files)) {
      library.licence_files[from] = copyFile(join(unpacked, from), licencePath(library));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Downloads the package of a library into `folder`, and returns the name of the archive.
 * @param {string} folder
 * @param {Library} library
 */
function fetchPackage(folder, library) {
  const wanted = `${library.name}@${library.version}`;
  npm(folder, "pack", wanted, "--ignore-scripts", "--silent");
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) {
    throw new Error(`npm wrote no archive of ${wanted}`);
  }
  const digest = createHash("sha512").update(readFileSync(join(folder, archive))).digest("base64");
  const integrity = `sha512-${digest}`;
  if (library.integrity !== "" && library.integrity !== integrity) {
    throw new Error(`${wanted} has the hash ${integrity}, but the manifest states ${library.integrity}`);
  }
  library.integrity = integrity;
  return archive;
}

/**
 * Runs npm in `folder` and returns what it prints.
 * @param {string} folder
 * @param {...string} words
 */
function npm(folder, ...words) {
  return execFileSync("npm", words, { cwd: folder, encoding: "utf8" });
}

/**
 * Copies a file byte for byte, and returns its hash.
 * @param {string} from
 * @param {string} to
 */
function copyFile(from, to) {
  const bytes = readFileSync(from);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, bytes);
  return sha256(bytes);
}

/**
 * Returns each difference between the manifest and the files, as a sentence.
 * @param {Library[]} libraries
 */
function check(libraries) {
  /** @type {Map<string, string>} path -> sha256 */
  const expected = new Map();
  for (const library of libraries) {
    for (const copy of Object.values(library.files)) {
      expected.set(join(vendor, copy.to), copy.sha256);
    }
    for (const hash of Object.values(library.licence_files)) {
      expected.set(licencePath(library), hash);
    }
  }
  const found = [];
  for (const [path, hash] of expected) {
    const name = relative(root, path);
    if (!existsSync(path)) {
      found.push(`${name} is missing`);
    } else if (sha256(readFileSync(path)) !== hash) {
      found.push(`${name} differs from the file that the manifest names`);
    }
  }
  for (const path of [...filesBelow(vendor), ...filesBelow(licences)]) {
    if (!expected.has(path)) {
      found.push(`${relative(root, path)} is not in the manifest`);
    }
  }
  return found;
}

/**
 * Returns the paths of all files in a folder and its folders.
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(folder) {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/**
 * Returns the path of a library's licence. A scope becomes the first part of the name.
 * @param {Library} library
 */
function licencePath(library) {
  return join(licences, `${library.name.replace("@", "").replace("/", "-")}.txt`);
}

/** @param {Buffer} bytes */
function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
