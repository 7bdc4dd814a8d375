/**
 * Compiles the contracts to contracts/artifacts/NAME.json, byte for byte the same on every machine.
 *
 *   node contracts/compile.mjs [NAME…]           compile and write (all, or only the named contracts)
 *   node contracts/compile.mjs --check [NAME…]   compile and compare with what is committed; list differences, fail on any
 *
 * Each root contract is compiled by itself, from its own imports only, so that its optimizer setting is its own and one
 * broken file does not stop the others. Warnings are errors. Contracts under contracts/test serve tests only; their
 * artifacts go to contracts/test/artifacts and the size limit of EIP-170 does not bind them.
 */
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const REPOSITORY = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const MAX_CODE_BYTES = 24_576; // EIP-170
const MAX_INITCODE_BYTES = 49_152; // EIP-3860, constructor arguments not counted
const DEFAULT_RUNS = 1_000_000;

/**
 * The compiler's own sequence of optimizations but for the specializer of functions (F), which writes a function out again
 * for a constant argument: 1.7 kB of the verifier's code that are not worth their gas.
 */
const SMALL_STEPS =
  'dhfoDgvulfnTUtnIf[xa[r]EscLMVcul [j]Trpeulxa[r]cLgvifCTUca[r]LSsTOtfDnca[r]Iulc]jmul[jul]VcTOcul jmul:fDnTOcmu';

/** Deployed contracts, how often the optimizer should assume that each of their opcodes runs, and its steps. */
const CONTRACTS = {
  Rollup: {},
  Inbox: {},
  Vault: {},
  Verifier: {runs: 200, steps: SMALL_STEPS},
  Pricer: {},
  Appraiser: {},
  TestUSD: {},
  RecallableUSD: {},
};

function listTargets() {
  const deployed = Object.entries(CONTRACTS)
    .map(([name, {runs = DEFAULT_RUNS, steps}]) => ({
      name,
      runs,
      steps,
      source: `contracts/src/${name}.sol`,
      artifact: `contracts/artifacts/${name}.json`,
      deployed: true,
    }));
  const folder = path.join(REPOSITORY, 'contracts/test');
  const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter((file) => file.endsWith('.sol')).sort() : [];
  const tests = files.map((file) => ({
    name: file.slice(0, -4),
    runs: DEFAULT_RUNS,
    source: `contracts/test/${file}`,
    artifact: `contracts/test/artifacts/${file.slice(0, -4)}.json`,
    deployed: false,
  }));
  return [...deployed, ...tests];
}

function readSource(name) {
  try {
    return {contents: fs.readFileSync(path.join(REPOSITORY, name), 'utf8')};
  } catch (error) {
    return {error: `${name}: ${error.code}`};
  }
}

function buildInput(target) {
  return {
    language: 'Solidity',
    sources: {[target.source]: {content: readSource(target.source).contents}},
    settings: {
      remappings: ['solady/=node_modules/solady/src/'],
      optimizer: {
        enabled: true,
        runs: target.runs,
        ...(target.steps && {details: {yul: true, yulDetails: {optimizerSteps: target.steps}}}),
      },
      viaIR: true,
      evmVersion: 'prague',
      metadata: {bytecodeHash: 'none'},
      outputSelection: {
        [target.source]: {
          [target.name]: ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'evm.deployedBytecode.immutableReferences'],
        },
      },
    },
  };
}

/** Warnings inside dependencies are not ours to mend; errors anywhere stop the build. */
function isOurWarning(entry) {
  return entry.severity === 'warning' && !entry.sourceLocation?.file.startsWith('node_modules/');
}

/** The artifact's content, or an Error with the compiler's messages. */
function compileTarget(solc, target) {
  if (!fs.existsSync(path.join(REPOSITORY, target.source))) throw new Error(`${target.source} is missing`);
  const output = JSON.parse(solc.compile(JSON.stringify(buildInput(target)), {import: readSource}));
  const complaints = (output.errors ?? []).filter((entry) => entry.severity === 'error' || isOurWarning(entry));
  if (complaints.length > 0) {
    throw new Error(complaints.map((entry) => entry.formattedMessage).join('\n'));
  }
  const compiled = output.contracts?.[target.source]?.[target.name];
  if (compiled === undefined) {
    throw new Error(`${target.source} holds no contract ${target.name}`);
  }
  const {bytecode, deployedBytecode} = compiled.evm;
  return {
    contractName: target.name,
    abi: compiled.abi,
    bytecode: `0x${bytecode.object}`,
    deployedBytecode: `0x${deployedBytecode.object}`,
    immutableReferences: deployedBytecode.immutableReferences ?? {},
  };
}

function sortKeys(value) {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortKeys(value[key])]));
}

function writeAtomically(file, text) {
  fs.mkdirSync(path.dirname(file), {recursive: true});
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}

function checkSize(target, artifact) {
  const code = artifact.deployedBytecode.length / 2 - 1;
  const initcode = artifact.bytecode.length / 2 - 1;
  console.log(`${target.name.padEnd(24)} ${String(code).padStart(6)} bytes deployed, ${String(initcode).padStart(6)} to deploy`);
  if (!target.deployed) return [];
  const problems = [];
  if (code > MAX_CODE_BYTES) problems.push(`${target.name}: ${code} bytes, above the ${MAX_CODE_BYTES} of EIP-170`);
  if (initcode > MAX_INITCODE_BYTES) problems.push(`${target.name}: ${initcode} bytes of creation code, above ${MAX_INITCODE_BYTES}`);
  return problems;
}

/** Compiles one target; returns what is wrong with it. */
function handleTarget(solc, target, check) {
  let artifact;
  try {
    artifact = compileTarget(solc, target);
  } catch (error) {
    return [`${target.name}: ${error.message}`];
  }
  const text = `${JSON.stringify(sortKeys(artifact), null, 1)}\n`;
  const file = path.join(REPOSITORY, target.artifact);
  const problems = checkSize(target, artifact);
  if (!check) {
    writeAtomically(file, text);
  } else if (!fs.existsSync(file)) {
    problems.push(`${target.artifact} is missing`);
  } else if (fs.readFileSync(file, 'utf8') !== text) {
    problems.push(`${target.artifact} is not what the sources compile to`);
  }
  return problems;
}

/** Files that no target imports would never be compiled, so never be checked. */
function listOrphans(targets, seen) {
  const folder = path.join(REPOSITORY, 'contracts/src');
  const files = fs.readdirSync(folder, {recursive: true}).filter((file) => file.endsWith('.sol'));
  const roots = new Set(targets.map((target) => target.source));
  return files
    .map((file) => `contracts/src/${file.split(path.sep).join('/')}`)
    .filter((file) => !seen.has(file) && !roots.has(file))
    .map((file) => `${file} is imported by no contract`);
}

function listStrayArtifacts(targets) {
  const known = new Set(targets.map((target) => target.artifact));
  return ['contracts/artifacts', 'contracts/test/artifacts']
    .filter((folder) => fs.existsSync(path.join(REPOSITORY, folder)))
    .flatMap((folder) => fs.readdirSync(path.join(REPOSITORY, folder)).map((file) => `${folder}/${file}`))
    .filter((file) => file.endsWith('.json') && !known.has(file))
    .map((file) => `${file} belongs to no contract`);
}

function loadCompiler(seen) {
  const solc = createRequire(path.join(REPOSITORY, 'package.json'))('solc');
  return {
    compile: (input, {import: read}) =>
      solc.compile(input, {
        import: (name) => {
          seen.add(name);
          return read(name);
        },
      }),
  };
}

function main(options) {
  const check = options.includes('--check');
  const wanted = options.filter((option) => option !== '--check');
  const targets = listTargets();
  const unknown = wanted.filter((name) => !targets.some((target) => target.name === name));
  const chosen = wanted.length === 0 ? targets : targets.filter((target) => wanted.includes(target.name));
  const problems = unknown.map((name) => `no contract is called ${name}`);
  const seen = new Set();
  if (unknown.length === 0) {
    const solc = loadCompiler(seen);
    problems.push(...chosen.flatMap((target) => handleTarget(solc, target, check)));
  }
  if (check && wanted.length === 0) {
    problems.push(...listOrphans(targets, seen), ...listStrayArtifacts(targets));
  }
  if (problems.length > 0) {
    fs.writeSync(2, `${problems.join('\n')}\n`);
    process.exitCode = 1;
  }
}

main(process.argv.slice(2));
