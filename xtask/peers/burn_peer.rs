//! burn: automatic differentiation and its own optimisers, on its processor backend; batches are made
//! before they are timed.

mod protocol;

use std::time::Instant;

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{CLASSES, HIDDEN, LINE, PIXELS, Round, images, numbers};

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    second: Linear,
}

impl Network {
    fn new([inputs, outputs]: [usize; 2], biases: bool, device: &Device) -> Self {
        let layer = |from, to| LinearConfig::new(from, to).with_bias(biases).init(device);
        Self { first: layer(inputs, HIDDEN), second: layer(HIDDEN, outputs) }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(relu(self.first.forward(x)))
    }
}

/// Rows of a matrix, so many at a time.
fn batches(entries: &[f32], width: usize, size: usize, device: &Device) -> Vec<Tensor<2>> {
    let rows = entries.chunks(size * width);
    let tensor = |rows: &[f32]| {
        Tensor::from_data(TensorData::new(rows.to_vec(), [rows.len() / width, width]), device)
    };
    rows.map(tensor).collect()
}

/// Steps along the gradient of a loss on each pair of batches.
fn rounds<Y: Clone + 'static>(
    mut network: Network,
    mut optimiser: ModuleOptimizer,
    dt: f64,
    data: Vec<(Tensor<2>, Y)>,
    loss: impl Fn(Tensor<2>, Y) -> Tensor<1> + 'static,
) -> impl FnMut() -> usize {
    move || {
        for (x, y) in &data {
            let gradients = loss(network.forward(x.clone()), y.clone()).backward();
            let gradients = GradientsParams::from_grads(gradients, &network);
            network = optimiser.step(dt, network.clone(), gradients);
        }
        data.len()
    }
}

fn epochs(size: usize, optimiser: ModuleOptimizer, dt: f64) -> Round {
    let device = Device::flex().autodiff();
    let (x, y) = images();
    let x = batches(&x, PIXELS, size, &device);
    let labels = |labels: &[u8]| {
        let labels: Vec<i64> = labels.iter().map(|&label| i64::from(label)).collect();
        Tensor::<1, Int>::from_data(TensorData::new(labels.clone(), [labels.len()]), &device)
    };
    let data = x.into_iter().zip(y.chunks(size).map(labels)).collect();
    let network = Network::new([PIXELS, CLASSES], true, &device);
    let criterion = CrossEntropyLossConfig::new().init(&device);
    let mut round = rounds(network, optimiser, dt, data, move |f, y| criterion.forward(f, y));
    Box::new(move || {
        round();
        1.0
    })
}

fn sgd(size: usize) -> Round {
    epochs(size, SgdConfig::new().init(), 0.1)
}

fn adam(size: usize) -> Round {
    epochs(size, AdamConfig::new().init(), 1e-3)
}

/// The network 1-100-1 by SGD, the biases in a second column.
fn line() -> Round {
    let device = Device::flex().autodiff();
    let x: Vec<f32> = numbers(LINE).into_iter().map(|x| 2.0 * x).collect();
    let y: Vec<f32> = x.iter().map(|x| (-x * x).exp()).collect();
    let x: Vec<f32> = x.into_iter().flat_map(|x| [x, 1.0]).collect();
    let data = batches(&x, 2, 64, &device).into_iter().zip(batches(&y, 1, 64, &device)).collect();
    let network = Network::new([2, 1], false, &device);
    let loss = |f, y| MseLoss::new().forward(f, y, Reduction::Mean);
    let mut round = rounds(network, SgdConfig::new().init(), 0.05, data, loss);
    Box::new(move || round() as f64)
}

fn main() {
    let started = Instant::now();
    protocol::serve(
        "burn",
        started,
        &[
            ("mnist-sgd-64", || sgd(64)),
            ("mnist-sgd-256", || sgd(256)),
            ("mnist-adam-64", || adam(64)),
            ("mnist-adam-256", || adam(256)),
            ("line-sgd-64", line),
        ],
    );
}
