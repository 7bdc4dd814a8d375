#!/usr/bin/env node
/**
 * The pinned compiler from npm under the command line that analysers expect of a native one:
 *
 *   solc.mjs --version
 *   solc.mjs --standard-json [options, ignored] < input.json > output.json
 *
 * Sources are read from the working folder.
 */
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const REPOSITORY = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

function readSource(name) {
  try {
    return {contents: fs.readFileSync(name, 'utf8')};
  } catch (error) {
    return {error: `${name}: ${error.code}`};
  }
}

/**
 * What the compiler says to `input`. Slither reads every contract's bytecode, though it finds nothing by it; where it was not asked for, and
 * so not compiled for most of a minute, it is empty.
 */
function compile(solc, input) {
  const output = JSON.parse(solc.compile(input, {import: readSource}));
  const contracts = Object.values(output.contracts ?? {}).flatMap((file) => Object.values(file));
  const nothing = {object: '', sourceMap: ''};
  for (const contract of contracts) contract.evm ??= {bytecode: nothing, deployedBytecode: nothing};
  return JSON.stringify(output);
}

/** A pipe takes 64 KiB at a time and may be full; leaving before it is empty would cut the output. */
function writeAll(text) {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(1, bytes, done);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function main(options) {
  const solc = createRequire(path.join(REPOSITORY, 'package.json'))('solc');
  if (options.includes('--version')) {
    writeAll(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
  } else if (options.includes('--standard-json')) {
    writeAll(compile(solc, fs.readFileSync(0, 'utf8')));
  } else {
    fs.writeSync(2, 'usage: solc.mjs --version | --standard-json < input.json\n');
    process.exitCode = 2;
  }
}

main(process.argv.slice(2));
