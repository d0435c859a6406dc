# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CUDA driver API by ctypes, as far as the probes here need it.

It loads libcuda.so.1 from the environment: with LD_LIBRARY_PATH=build/lib/sim
that is the simulator, elsewhere the driver of a GPU.
"""
import ctypes as C

_CLUSTER = 4  # CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
_ERROR_LOG, _ERROR_LOG_SIZE = 5, 6  # CU_JIT_ERROR_LOG_BUFFER, its size
_MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
_TENSOR_TYPES = {
    "u8": 0, "i8": 0, "u16": 1, "u32": 2, "i32": 3, "u64": 4, "i64": 5,
    "f16": 6, "f32": 7, "f64": 8, "bf16": 9}
_SWIZZLES = {"none": 0, "32B": 1, "64B": 2, "128B": 3}


class CudaError(Exception):
    def __init__(self, call, code, text):
        super().__init__(f"{call}: error {code}: {text}")
        self.code, self.text = code, text


class _Attribute(C.Structure):
    _fields_ = [("id", C.c_int), ("pad", C.c_char * 4),
                ("value", C.c_uint32 * 16)]


class _LaunchConfig(C.Structure):
    _fields_ = [("grid", C.c_uint * 3), ("block", C.c_uint * 3),
                ("shared", C.c_uint), ("stream", C.c_void_p),
                ("attributes", C.POINTER(_Attribute)), ("count", C.c_uint)]


class Driver:
    """A context on device 0; `reset` makes a new one after a sticky error."""

    def __init__(self):
        try:
            self.lib = C.CDLL("libcuda.so.1")
        except OSError:  # where containers mount the driver
            self.lib = C.CDLL("/usr/local/nvidia/lib64/libcuda.so.1")
        self.context = C.c_void_p()
        self.device = C.c_int()
        self.call("cuInit", 0)
        self.call("cuDeviceGet", C.byref(self.device), 0)
        self._create()

    def call(self, name, *args):
        code = getattr(self.lib, name)(*args)
        if code:
            text = C.c_char_p()
            self.lib.cuGetErrorString(code, C.byref(text))
            raise CudaError(name, code, (text.value or b"?").decode())

    def _create(self):
        self.call("cuCtxCreate_v2", C.byref(self.context), 0, self.device)

    def reset(self):
        try:
            self.call("cuCtxDestroy_v2", self.context)
        except CudaError:
            pass
        self._create()

    def close(self):
        self.call("cuCtxDestroy_v2", self.context)

    def describe(self):
        name = C.create_string_buffer(256)
        self.call("cuDeviceGetName", name, 256, self.device)
        version, numbers = C.c_int(), []
        self.call("cuDriverGetVersion", C.byref(version))
        for attribute in (75, 76):  # compute capability
            value = C.c_int()
            self.call("cuDeviceGetAttribute", C.byref(value), attribute,
                      self.device)
            numbers.append(value.value)
        return (f"{name.value.decode()}, sm_{numbers[0]}{numbers[1]}, "
                f"CUDA {version.value // 1000}.{version.value % 1000 // 10}")

    # --- modules --------------------------------------------------------------

    def load(self, text):
        module = C.c_void_p()
        log = C.create_string_buffer(8192)
        options = (C.c_int * 2)(_ERROR_LOG, _ERROR_LOG_SIZE)
        values = (C.c_void_p * 2)(C.cast(log, C.c_void_p), len(log))
        try:
            self.call("cuModuleLoadDataEx", C.byref(module),
                      text.encode() + b"\0", 2, options, values)
        except CudaError as e:
            e.text = log.value.decode(errors="replace") or e.text
            raise
        return module

    def unload(self, module):
        self.call("cuModuleUnload", module)

    def function(self, module, name):
        function = C.c_void_p()
        self.call("cuModuleGetFunction", C.byref(function), module,
                  name.encode())
        return function

    # --- memory ---------------------------------------------------------------

    def alloc(self, size):
        address = C.c_uint64()
        self.call("cuMemAlloc_v2", C.byref(address), C.c_size_t(max(size, 1)))
        return address.value

    def free(self, address):
        self.call("cuMemFree_v2", C.c_uint64(address))

    def write(self, address, array):
        self.call("cuMemcpyHtoD_v2", C.c_uint64(address),
                  C.c_void_p(array.ctypes.data), C.c_size_t(array.nbytes))

    def read(self, address, array):
        self.call("cuMemcpyDtoH_v2", C.c_void_p(array.ctypes.data),
                  C.c_uint64(address), C.c_size_t(array.nbytes))
        return array

    def upload(self, array):
        address = self.alloc(array.nbytes)
        if array.nbytes:
            self.write(address, array)
        return address

    def fill(self, address, byte, size):
        self.call("cuMemsetD8_v2", C.c_uint64(address), C.c_ubyte(byte),
                  C.c_size_t(size))

    def tensor_map(self, address, dtype, dims, strides, box, steps, swizzle,
                   nan=False):
        """128 bytes of a tiled tensor map, in storage aligned to 64 bytes."""
        raw = C.create_string_buffer(128 + 64)
        offset = -C.addressof(raw) % 64
        out = (C.c_char * 128).from_buffer(raw, offset)
        rank = len(dims)
        self.call("cuTensorMapEncodeTiled", out, _TENSOR_TYPES[dtype], rank,
                  C.c_uint64(address), (C.c_uint64 * rank)(*dims),
                  (C.c_uint64 * max(rank - 1, 1))(*strides),
                  (C.c_uint32 * rank)(*box), (C.c_uint32 * rank)(*steps),
                  0, _SWIZZLES[swizzle], 0, int(nan))
        return out

    # --- launches -------------------------------------------------------------

    def launch(self, function, grid, block, args, shared=0, cluster=None):
        """args: ctypes objects, one a parameter. Waits for the kernel."""
        if shared:
            self.call("cuFuncSetAttribute", function, _MAX_DYNAMIC_SHARED,
                      shared)
        pointers = (C.c_void_p * max(len(args), 1))(
            *[C.cast(C.byref(a), C.c_void_p) for a in args])
        config = _LaunchConfig((C.c_uint * 3)(*grid), (C.c_uint * 3)(*block),
                               shared, None, None, 0)
        if cluster:
            attribute = _Attribute(_CLUSTER)
            attribute.value[0:3] = cluster
            config.attributes = C.pointer(attribute)
            config.count = 1
        self.call("cuLaunchKernelEx", C.byref(config), function, pointers,
                  None)
        self.call("cuCtxSynchronize")
