// What runtimes and bundlers with WebAssembly modules make of `import module from "stepstream/stepstream.wasm"`.
declare const module: WebAssembly.Module;
export default module;
