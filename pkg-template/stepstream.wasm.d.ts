// What runtimes and bundlers with WebAssembly modules make of `import module from "stepstream/stepstream.wasm"`.
declare const module: typeof globalThis extends {
  readonly WebAssembly: { readonly Module: { readonly prototype: infer Found } };
}
  ? Found
  : object;
export default module;
