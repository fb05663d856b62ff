// Tables go out by the Arrow PyCapsule interface.

#include "bindings.hpp"
#include "journeyman/core/arrow_abi.hpp"

namespace {

py::capsule arrow_stream(const jm::table& t) {
    auto stream = std::make_unique<ArrowArrayStream>();
    t.export_arrow(stream.get());
    return py::capsule(stream.release(), "arrow_array_stream", [](PyObject* capsule) {
        auto* s = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, "arrow_array_stream"));
        if (s->release != nullptr) s->release(s);
        delete s;
    });
}

}  // namespace

void register_table(py::module_& m) {
    py::class_<jm::table>(m, "_Table").def("_rows", &jm::table::rows).def("_arrow_stream", &arrow_stream).def("_text", &shown<jm::table>);
}
