// MNIST from the page's own origin, fetched when it is first asked for.

const FOLDER = "./data/mnist/";
const FILES = { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte", testImages: "t10k-images-idx3-ubyte", testLabels: "t10k-labels-idx1-ubyte" };
const BYTES = { images: 47_040_016, labels: 60_008, testImages: 7_840_016, testLabels: 10_008 };
const HEADER = { images: 16, labels: 8 };
const PIXELS = 784;

/** The two sets, and the test images and labels themselves. */
export async function loadMnist(DataSet, progress) {
  const total = Object.values(BYTES).reduce((sum, bytes) => sum + bytes);
  let done = 0;
  const count = (bytes) => progress((done += bytes), total);
  const files = {};
  for (const [name, file] of Object.entries(FILES)) files[name] = await load(FOLDER + file, BYTES[name], count);
  const pixels = files.testImages.subarray(HEADER.images);
  return {
    train: DataSet.images(files.images, files.labels),
    test: DataSet.images(files.testImages, files.testLabels),
    labels: files.testLabels.slice(HEADER.labels),
    image: (i) => pixels.slice(i * PIXELS, (i + 1) * PIXELS),
  };
}

async function load(url, bytes, count) {
  const advice = "`cargo xtask data` fetches MNIST; then start the demo again. The other tasks need no data.";
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) throw new Error(`The images are not here: ${url} is missing. ${advice}`);
  const content = new Uint8Array(bytes);
  let at = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > bytes) throw new Error(`${url} is longer than ${bytes} bytes: it is damaged. ${advice}`);
    content.set(value, at);
    at += value.length;
    count(value.length);
  }
  if (at !== bytes) throw new Error(`${url} has ${at} bytes instead of ${bytes}: it is damaged. ${advice}`);
  return content;
}
