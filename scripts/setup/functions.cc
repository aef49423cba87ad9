// A part of the TensorFlow addon. It adds two exports to tfjs-node's, for functions of TensorFlow's eager runtime. Such a
// function is a graph under a name of its own; afterwards the addon's executeOp runs it like any operation.
// lib/src/tf/graph records the graphs.
//
// tfjs_binding.cc is compiled as a part of this file, so that its source need not be changed. Its entry point gets another
// name, and ours calls it.
#define napi_register_module_v1 RegisterTfjs
#define node_api_module_get_api_version_v1 TfjsApiVersion
#include "binding/tfjs_binding.cc"
#undef node_api_module_get_api_version_v1
#undef napi_register_module_v1

#include <cstdlib>
#include <string>
#include <vector>

#include "binding/tf_auto_status.h"
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

namespace {

// The backend keeps its context in a private member. Only an explicit instantiation may name one.
template <TFE_Context *tfnodejs::TFJSBackend::*context>
struct ContextAccess {
  friend TFE_Context *ContextOf(const tfnodejs::TFJSBackend &backend) { return backend.*context; }
};
template struct ContextAccess<&tfnodejs::TFJSBackend::tfe_context_>;
TFE_Context *ContextOf(const tfnodejs::TFJSBackend &);

TFE_Context *Context(napi_env env) {
  tfnodejs::TFJSBackend *backend = nullptr;
  napi_get_instance_data(env, reinterpret_cast<void **>(&backend));
  return ContextOf(*backend);
}

std::string ToString(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length + 1, '\0');
  napi_get_value_string_utf8(env, value, &text[0], text.size(), &length);
  text.resize(length);
  return text;
}

std::vector<std::string> ToStrings(napi_env env, napi_value array) {
  uint32_t length = 0;
  napi_get_array_length(env, array, &length);
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(env, array, i, &element);
    texts.push_back(ToString(env, element));
  }
  return texts;
}

// The nodes of a graph by their names. `missing` is the first name that was not found.
struct Nodes {
  TF_Graph *graph;
  std::string missing;

  TF_Operation *Find(const std::string &name) {
    TF_Operation *node = TF_GraphOperationByName(graph, name.c_str());
    if (node == nullptr && missing.empty()) missing = name;
    return node;
  }

  // 'node:i', the i-th output of a node
  TF_Output FindOutput(const std::string &output) {
    const size_t colon = output.rfind(':');
    return {Find(output.substr(0, colon)), std::atoi(output.c_str() + colon + 1)};
  }
};

void Import(TF_Graph *graph, const void *graph_def, size_t length, TF_Status *status) {
  TF_Buffer *buffer = TF_NewBufferFromString(graph_def, length);
  TF_ImportGraphDefOptions *options = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph, buffer, options, status);
  TF_DeleteImportGraphDefOptions(options);
  TF_DeleteBuffer(buffer);
}

void ThrowUnlessOk(napi_env env, TF_Status *status) {
  if (TF_GetCode(status) != TF_OK) napi_throw_error(env, nullptr, TF_Message(status));
}

// addFunction(name: string, graphDef: Uint8Array, inputs: 'node'[], outputs: 'node:i'[], controls: 'node'[])
// The controls are run whether or not an output needs them.
napi_value AddFunction(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value args[5];
  napi_get_cb_info(env, info, &argc, args, nullptr, nullptr);
  void *graph_def = nullptr;
  size_t length = 0;
  if (argc < 5 || napi_get_typedarray_info(env, args[1], nullptr, &length, &graph_def, nullptr, nullptr) != napi_ok) {
    napi_throw_type_error(env, nullptr, "addFunction: expected name, graphDef, inputs, outputs, controls");
    return nullptr;
  }

  tfnodejs::TF_AutoStatus status;
  TF_Graph *graph = TF_NewGraph();
  Import(graph, graph_def, length, status.status);
  TF_Function *function = nullptr;
  Nodes nodes{graph, ""};
  if (TF_GetCode(status.status) == TF_OK) {
    std::vector<TF_Output> inputs, outputs;
    std::vector<TF_Operation *> controls;
    for (const std::string &name : ToStrings(env, args[2])) inputs.push_back({nodes.Find(name), 0});
    for (const std::string &name : ToStrings(env, args[3])) outputs.push_back(nodes.FindOutput(name));
    for (const std::string &name : ToStrings(env, args[4])) controls.push_back(nodes.Find(name));
    if (nodes.missing.empty())
      function = TF_GraphToFunctionWithControlOutputs(
          graph, ToString(env, args[0]).c_str(), /*append_hash_to_fn_name=*/0, /*num_opers=*/-1, /*opers=*/nullptr,
          static_cast<int>(inputs.size()), inputs.data(), static_cast<int>(outputs.size()), outputs.data(),
          /*output_names=*/nullptr, static_cast<int>(controls.size()), controls.data(),
          /*control_output_names=*/nullptr, /*opts=*/nullptr, /*description=*/nullptr, status.status);
  }
  if (function != nullptr) {
    TFE_ContextAddFunction(Context(env), function, status.status);
    TF_DeleteFunction(function);
  }
  TF_DeleteGraph(graph);
  if (!nodes.missing.empty())
    napi_throw_error(env, nullptr, ("addFunction: the graph has no node " + nodes.missing).c_str());
  else
    ThrowUnlessOk(env, status.status);
  return nullptr;
}

// removeFunction(name: string)
napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value args[1];
  napi_get_cb_info(env, info, &argc, args, nullptr, nullptr);
  if (argc < 1) {
    napi_throw_type_error(env, nullptr, "removeFunction: expected a name");
    return nullptr;
  }
  tfnodejs::TF_AutoStatus status;
  TFE_ContextRemoveFunction(Context(env), ToString(env, args[0]).c_str(), status.status);
  ThrowUnlessOk(env, status.status);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  exports = tfnodejs::RegisterTfjs(env, exports);
  if (exports == nullptr) return nullptr;
  napi_property_descriptor ours[] = {
      {"addFunction", nullptr, AddFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"removeFunction", nullptr, RemoveFunction, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, 2, ours);
  return exports;
}
