// What runtimes and bundlers with WebAssembly modules make of `import module from "stepstream/stepstream-llm.wasm"`.
declare const module: WebAssembly.Module;
export default module;
