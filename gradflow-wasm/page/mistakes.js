// What a trained network gets wrong on the test images.

const CLASSES = 10;
const WORST = 12;

/** Probabilities of the classes, from the network's outputs. */
export function softmax(logits) {
  const top = Math.max(...logits);
  const weights = Array.from(logits, (f) => Math.exp(f - top));
  const total = weights.reduce((sum, weight) => sum + weight);
  return weights.map((weight) => weight / total);
}

/** Counts of (true class, answer), and the images whose true class seemed least likely. */
export function confusion(outputs, { labels, image }) {
  const counts = Array.from({ length: CLASSES }, () => new Array(CLASSES).fill(0));
  const wrong = [];
  labels.forEach((label, i) => {
    const p = softmax(outputs.subarray(i * CLASSES, (i + 1) * CLASSES));
    const answer = p.indexOf(Math.max(...p));
    counts[label][answer] += 1;
    if (answer !== label) wrong.push({ i, label, answer, p: p[answer], truth: p[label] });
  });
  wrong.sort((a, b) => a.truth - b.truth);
  return { counts, errors: wrong.length, total: labels.length, worst: wrong.slice(0, WORST).map((one) => ({ ...one, pixels: image(one.i) })) };
}
