//! Removes the messages of panics. In this target they cannot be read: the standard library writes it to a standard error that is not there, and
//! then traps. Without it the trap is the same, every check of a bound is an instruction instead of a call with a place in the sources,
//! and all that formats messages is left out.

use std::collections::HashSet;

use walrus::ir::{Call, Visitor, dfs_in_order};
use walrus::{ElementItems, ExportItem, FunctionBuilder, FunctionId, FunctionKind, Module};

/// Parts of the names of the functions in which a panic begins. The compiler mangles names in two ways; both spell them out.
/// The last is what wasm-bindgen throws when a text has no address, which its own glue never passes.
const BEGINNINGS: [&str; 10] = [
    "core9panicking",
    "slice_index_fail",
    "slice_error_fail",
    "expect_failed",
    "unwrap_failed",
    "panic_access_error",
    "rust_begin_unwind",
    "raw_vec12handle_error",
    "handle_alloc_error",
    "12wasm_bindgen9throw_str",
];

/// Parts of the names of what formats messages.
const FORMATTING: [&str; 5] = ["core3fmt", "core..fmt", "3fmt7Display", "3fmt5Debug", "std9panicking"];

/// Makes every function in which a panic begins trap at once.
///
/// # Errors
/// When there is none: then their names have changed, and the list above has to.
pub fn cut(module: &mut Module) -> Result<(), String> {
    let found = named(module, &BEGINNINGS);
    found.iter().for_each(|id| trap(module, *id));
    if found.is_empty() {
        return Err("no function begins a panic".to_owned());
    }
    // What formats is called through the table of functions, and would stay for its sake. If nothing else begins to format, it is not needed.
    let formatting = named(module, &FORMATTING);
    if formatting.is_disjoint(&reached(module, &formatting)) {
        formatting.iter().for_each(|id| trap(module, *id));
    }
    Ok(())
}

fn named(module: &Module, parts: &[&str]) -> HashSet<FunctionId> {
    let fits = |id: &FunctionId| {
        let name = module.funcs.get(*id).name.as_deref();
        name.is_some_and(|name| parts.iter().any(|part| name.contains(part)))
    };
    module.funcs.iter_local().map(|(id, _)| id).filter(fits).collect()
}

/// Leaves nothing of a function but a trap.
fn trap(module: &mut Module, id: FunctionId) {
    let (params, results) = module.types.params_results(module.funcs.get(id).ty());
    let (params, results) = (params.to_vec(), results.to_vec());
    let arguments = params.iter().map(|ty| module.locals.add(*ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    builder.func_body().unreachable();
    module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
}

/// The functions that can be reached from the exports and from the table, where the entries `without` do not count.
fn reached(module: &Module, without: &HashSet<FunctionId>) -> HashSet<FunctionId> {
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) => Some(id),
        _ => None,
    });
    let in_table = module.elements.iter().filter_map(|element| match &element.items {
        ElementItems::Functions(functions) => Some(functions),
        ElementItems::Expressions(..) => None,
    });
    let in_table = in_table.flatten().copied().filter(|id| !without.contains(id));
    let mut calls = Calls { next: exported.chain(in_table).chain(module.start).collect() };
    let mut reached = HashSet::new();
    while let Some(id) = calls.next.pop() {
        if let FunctionKind::Local(function) = &module.funcs.get(id).kind
            && reached.insert(id)
        {
            dfs_in_order(&mut calls, function, function.entry_block());
        }
    }
    reached
}

/// The functions that are called by their number.
struct Calls {
    next: Vec<FunctionId>,
}

impl<'a> Visitor<'a> for Calls {
    fn visit_call(&mut self, call: &Call) {
        self.next.push(call.func);
    }
}
