/**
 * Compiles one contract with some of its files replaced, quickly and hardly optimized, for tests that plant bugs.
 *
 *   node contracts/test/mutate.mjs NAME < {"path from the repository": "content", …}     prints {abi, bytecode}
 */
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const REPOSITORY = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const name = process.argv[2];
const source = `contracts/src/${name}.sol`;
const replaced = JSON.parse(fs.readFileSync(0, 'utf8'));

function read(file) {
  return {contents: replaced[file] ?? fs.readFileSync(path.join(REPOSITORY, file), 'utf8')};
}

const solc = createRequire(path.join(REPOSITORY, 'package.json'))('solc');
const input = {
  language: 'Solidity',
  sources: {[source]: {content: read(source).contents}},
  settings: {
    remappings: ['solady/=node_modules/solady/src/'],
    // No steps at all: the stack would do, the size limit would not, without the optimizer of the assembly.
    optimizer: {enabled: true, runs: 1, details: {yul: true, yulDetails: {optimizerSteps: ':'}}},
    viaIR: true,
    evmVersion: 'prague',
    outputSelection: {[source]: {[name]: ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object']}},
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input), {import: read}));
const errors = (output.errors ?? []).filter((entry) => entry.severity === 'error');
if (errors.length > 0) {
  fs.writeSync(2, errors.map((entry) => entry.formattedMessage).join('\n'));
  process.exit(1);
}
const {abi, evm} = output.contracts[source][name];
process.stdout.write(JSON.stringify({
  contractName: name,
  abi,
  bytecode: `0x${evm.bytecode.object}`,
  deployedBytecode: `0x${evm.deployedBytecode.object}`,
  immutableReferences: {},
}));
