# SPDX-License-Identifier: GPL-2.0-or-later
"""salt-loader.py FOLDER [--test] FUNCTION [JSON]: calls one function of Salt modules, loaded as Salt documents it.

FOLDER/_utils, _modules and _states are loaded by file, under the name that __virtual__ returns; __opts__, __context__,
__grains__, __utils__ and __salt__ are in their globals before the first call. FUNCTION is utils.X.Y, module.X.Y or state.X.Y;
JSON its keyword arguments, or a list of positional ones. Prints what it returns, and the retcode.

salt-loader.py FOLDER [--test] --sls FILE FUNCTION: plays the states of that function in an SLS file, each list of single keys
merged, requisites left out."""

import importlib.util
import json
import os
import sys

import yaml

sys.dont_write_bytecode = True


def load(folder, dunders):
    functions = {}
    if not os.path.isdir(folder):
        return functions
    for entry in sorted(os.listdir(folder)):
        if not entry.endswith(".py"):
            continue
        spec = importlib.util.spec_from_file_location("salt.loaded.ext." + entry[:-3], os.path.join(folder, entry))
        module = importlib.util.module_from_spec(spec)
        vars(module).update(dunders)
        spec.loader.exec_module(module)
        name = entry[:-3]
        if hasattr(module, "__virtual__"):
            answer = module.__virtual__()
            if isinstance(answer, tuple) or answer is False:
                sys.exit("%s is not loaded: %r" % (entry, answer))
            name = name if answer is True else answer
        aliases = getattr(module, "__func_alias__", {})
        for key, value in vars(module).items():
            if callable(value) and not key.startswith("_") and getattr(value, "__module__", None) == module.__name__:
                functions["%s.%s" % (name, aliases.get(key, key))] = value
    return functions


def main():
    arguments = sys.argv[1:]
    folder = arguments.pop(0)
    test = arguments[0] == "--test"
    del arguments[: int(test)]
    dunders = {"__opts__": {"test": test}, "__context__": {}, "__grains__": {}}
    utils = load(os.path.join(folder, "_utils"), dunders)
    dunders["__utils__"] = utils
    modules = {}
    dunders["__salt__"] = modules
    modules.update(load(os.path.join(folder, "_modules"), dunders))
    states = load(os.path.join(folder, "_states"), dunders)
    if arguments[0] == "--sls":
        with open(arguments[1], encoding="utf-8") as stream:
            sls = yaml.safe_load(stream)
        for ident, body in sls.items():
            for function, given in body.items():
                if function != arguments[2]:
                    continue
                keywords = {key: value for part in given for key, value in part.items()}
                for requisite in ("require", "watch", "onchanges"):
                    keywords.pop(requisite, None)
                print(json.dumps(states[function](**dict({"name": ident}, **keywords))))
        return
    kind, name = arguments[0].split(".", 1)
    given = json.loads(arguments[1]) if len(arguments) > 1 else {}
    function = {"utils": utils, "module": modules, "state": states}[kind][name]
    answer = function(*given) if isinstance(given, list) else function(**given)
    print(json.dumps({"answer": answer, "retcode": dunders["__context__"].get("retcode", 0)}))


main()
