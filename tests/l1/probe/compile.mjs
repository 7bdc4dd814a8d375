// Compiles Probe.sol into Probe.json, in the format of contracts/artifacts.
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const input = {
  language: "Solidity",
  sources: { "Probe.sol": { content: readFileSync("Probe.sol", "utf8") } },
  settings: {
    viaIR: true,
    evmVersion: "prague",
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
const { abi, evm } = output.contracts["Probe.sol"].Probe;
const artifact = {
  contractName: "Probe",
  abi,
  bytecode: "0x" + evm.bytecode.object,
  deployedBytecode: "0x" + evm.deployedBytecode.object,
};
writeFileSync("Probe.json", JSON.stringify(artifact, null, 1) + "\n");
