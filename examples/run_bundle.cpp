// Runs an exported bundle with OpenVINO's C++ API: model.xml, device, and samples as raw float32, normalised as the
// manifest says. Prints the scores of each sample, one line each.
//
//   site=$(python -c 'import openvino, os; print(os.path.dirname(openvino.__file__))')
//   g++ -std=c++17 examples/run_bundle.cpp -I$site/include -L$site/libs -l:$(basename $site/libs/libopenvino.so.*)
//       -Wl,-rpath,$site/libs -o run_bundle
//   ./run_bundle runs/demo/bundles/knee/model.xml CPU samples.f32
#include <cstdio>
#include <fstream>
#include <openvino/openvino.hpp>

int main(int argc, char** argv) try {
    if (argc != 4) return std::fprintf(stderr, "usage: run_bundle MODEL.xml DEVICE SAMPLES.f32\n"), 2;
    ov::CompiledModel model = ov::Core().compile_model(
        argv[1], argv[2], ov::hint::inference_precision(ov::element::f32), ov::num_streams(1),
        ov::inference_num_threads(1));
    ov::InferRequest request = model.create_infer_request();
    ov::Tensor input = request.get_input_tensor(), output = request.get_output_tensor();
    std::ifstream samples(argv[3], std::ios::binary);
    if (!samples) return std::fprintf(stderr, "run_bundle: cannot read %s\n", argv[3]), 2;
    while (samples.read(static_cast<char*>(input.data()), input.get_byte_size())) {
        request.infer();
        for (size_t i = 0; i < output.get_size(); ++i) std::printf("%.9g ", output.data<float>()[i]);
        std::printf("\n");
    }
    return samples.gcount() == 0 ? 0 : (std::fprintf(stderr, "run_bundle: %s ends inside a sample\n", argv[3]), 2);
} catch (const std::exception& error) {
    return std::fprintf(stderr, "run_bundle: %s\n", error.what()), 2;
}
