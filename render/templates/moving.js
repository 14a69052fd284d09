// Figures that move: a slider goes through networks, and the page computes what each of them says
// of every point of the plane; or through the steps of a drawing. What it needs, a picture carries
// as its description, from figures/moving.py. Nothing moves by itself; without scripts, the picture
// stands alone.
{
const SIDE = 600;  // pixels, of the square that shows the plane
const [WIDE, HIGH] = [600, 380];  // of a plot

const make = (name, attributes, ...children) => {
  const element = document.createElement(name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  element.append(...children);
  return element;
};

// The source of a picture, and what it carries, or nothing.
const source = image => atob(image.src.split("data:image/svg+xml;base64,")[1] ?? "");
const carried = image => {
  const found = source(image).match(/<dc:description>(.*?)<\/dc:description>/);
  return found && JSON.parse(found[1]);
};

// A slider with a name, from 0 to `last`, and what is to be said of where it stands: `show` shows
// that and returns its words.
const slide = (name, last, start, show) => {
  const slider = make("input", {type: "range", min: 0, max: last, value: start});
  const said = make("output", {});
  const update = () => {
    said.textContent = show(Number(slider.value));
    slider.setAttribute("aria-valuetext", said.textContent);
  };
  slider.addEventListener("input", update);
  update();
  return make("div", {}, make("label", {}, "Move: " + name, slider), said);
};

// --- the plane ----------------------------------------------------------------------------------

// The score of class 1 less that of class 0 at each pixel, by the forward pass of part b. Along a
// row of pixels, the preactivation of a unit grows by the same amount from one to the next.
const scores = ({W1, b1, W2, b2}, edge) => {
  const step = 2 * edge / SIDE;
  const z = new Float64Array(SIDE * SIDE).fill(b2[1][0] - b2[0][0]);
  for (let j = 0; j < b1.length; j++) {
    const weight = W2[1][j] - W2[0][j];
    for (let row = 0; row < SIDE; row++) {
      let ha = W1[j][0] * (step / 2 - edge) + W1[j][1] * (edge - (row + 0.5) * step) + b1[j][0];
      for (let i = row * SIDE; i < (row + 1) * SIDE; i++) {
        if (ha > 0) z[i] += weight * ha;
        ha += W1[j][0] * step;
      }
    }
  }
  return z;
};

// How black a pixel is that the line crosses where both classes are equally probable.
const ink = (z, i) => {
  const across = z[(i + 1) % SIDE ? i + 1 : i - 1] - z[i];
  const down = z[i + SIDE < z.length ? i + SIDE : i - SIDE] - z[i];
  const distance = Math.abs(z[i]) / Math.hypot(across, down);  // in pixels
  return distance < 0.5 ? 1 : distance < 1.5 ? 1.5 - distance : 0;
};

// Shade the plane by the probability of class 1, with that line.
const shade = (context, z, shades) => {
  const image = context.createImageData(SIDE, SIDE);
  const channels = shades.map(colour => [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16)));
  for (let i = 0; i < z.length; i++) {
    const probability = 1 / (1 + Math.exp(-z[i]));
    const band = channels[Math.min(Math.floor(probability * shades.length), shades.length - 1)];
    const light = 1 - ink(z, i);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = light * band[c];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
};

// Dots for class 0, triangles for class 1, rings round some of them.
const mark = (context, {edge, points, ringed}) => {
  const many = points[0].at.length > 100;
  const size = many ? 4 : 7;
  const draw = path => ([x, y]) => {
    context.beginPath();
    path((x / edge + 1) * SIDE / 2, (1 - y / edge) * SIDE / 2);
  };
  const dot = (x, y) => { context.arc(x, y, size, 0, 7); context.fill(); };
  const triangle = (x, y) => {
    context.moveTo(x, y - size);
    context.lineTo(x + size, y + size);
    context.lineTo(x - size, y + size);
    context.fill();
  };
  const ring = (x, y) => { context.arc(x, y, 2 * size, 0, 7); context.stroke(); };
  points.forEach(({colour, at}, c) => {
    context.fillStyle = colour;
    at.forEach(draw(c ? triangle : dot));
  });
  context.strokeStyle = "black";
  context.lineWidth = 1.5;
  ringed.forEach(draw(ring));
};

// --- the curves ---------------------------------------------------------------------------------

// Steps of a round length, five or fewer.
const ticks = end => {
  const power = 10 ** Math.floor(Math.log10(end / 2));
  const step = [1, 2, 5].map(digit => digit * power).findLast(each => end / each >= 2);
  return Array.from({length: Math.floor(end / step * 1.0001) + 1}, (_, i) => i * step);
};

// Error or loss of all networks of a run against the epoch, with a mark at that of the slider.
const plot = (context, {frames, epochs, curves}, kind, label, now) => {
  const [left, right, top, bottom] = [70, WIDE - 14, 16, HIGH - 56];
  const last = Math.max(...epochs);
  const highest = Math.max(...curves.flatMap(({part}) => frames.map(frame => frame[kind][part])));
  const x = epoch => left + (right - left) * epoch / last;
  const y = value => bottom - (bottom - top) * value / highest;
  const stroke = (from, ...others) => {
    context.beginPath();
    context.moveTo(...from);
    others.forEach(to => context.lineTo(...to));
    context.stroke();
  };
  const write = (text, across, down, align) => {
    context.textAlign = align;
    context.fillText(text, across, down);
  };
  context.fillStyle = "white";
  context.fillRect(0, 0, WIDE, HIGH);
  context.font = "20px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillStyle = context.strokeStyle = "#333";
  context.lineWidth = 1.5;
  stroke([left, top], [left, bottom], [right, bottom]);
  for (const value of ticks(highest)) write(+value.toPrecision(3), left - 8, y(value), "right");
  for (const epoch of ticks(last)) write(epoch, x(epoch), bottom + 16, "center");
  write("epoch", (left + right) / 2, bottom + 42, "center");
  write(label, right, top + 4, "right");
  context.strokeStyle = "#777";
  stroke([x(epochs[now]), top], [x(epochs[now]), bottom]);
  context.lineWidth = 3;
  curves.forEach(({part, name, colour, dashed}, i) => {
    const at = epochs.map((epoch, each) => [x(epoch), y(frames[each][kind][part])]);
    context.fillStyle = context.strokeStyle = colour;
    context.setLineDash(dashed ? [9, 5] : []);
    stroke(...at);
    context.setLineDash([]);
    context.beginPath();
    context.arc(...at[now], 7, 0, 7);
    context.fill();
    write(name, right, top + 32 + 26 * i, "right");
  });
};

// --- what moves ---------------------------------------------------------------------------------

const canvas = (width, height) => make("canvas", {width, height, role: "img"});

// The plane of one network after another; if they are those of a run, its curves.
const networks = data => {
  const plane = canvas(SIDE, SIDE);
  const plots = data.epochs.length ? [["error", "error / %"], ["loss", "average loss / nat"]] : [];
  const drawn = plots.map(() => canvas(WIDE, HIGH));
  const control = slide(data.slider, data.frames.length - 1, 0, now => {
    const frame = data.frames[now];
    const [train, valid] = ["train", "valid"].map(part => part + " " + frame.error[part].toFixed(1) + " %");
    const words = frame.title + ": " + train + ", " + valid;
    const context = plane.getContext("2d");
    shade(context, scores(frame, data.edge), data.shades);
    mark(context, data);
    plane.setAttribute("aria-label", "Decision regions, " + words);
    plots.forEach(([kind, label], i) => {
      plot(drawn[i].getContext("2d"), data, kind, label, now);
      drawn[i].setAttribute("aria-label", "Training and validation " + kind + " against the epoch");
    });
    return words;
  });
  return [control, make("div", {}, plane, make("div", {}, ...drawn))];
};

// A drawing up to one of its steps, and the equation of that step; the last step shows all of it.
const steps = ({slider, steps}, image) => {
  const svg = new DOMParser().parseFromString(source(image), "image/svg+xml").documentElement;
  const drawing = make("div", {class: "drawing", role: "img", "aria-label": image.alt || image.ariaLabel});
  drawing.attachShadow({mode: "open"}).append(svg);  // so that its names are its own
  image.hidden = true;
  const beside = make("div", {class: "of-step"});
  const control = slide(slider, steps.length, steps.length, now => {
    const {words, label} = steps[now] ?? {words: "all steps"};
    for (const part of svg.querySelectorAll("[id^=step-]")) {
      const step = Number(part.id.split("-")[1]);
      part.style.visibility = step > now ? "hidden" : "visible";
      part.style.opacity = step < now && now < steps.length ? 0.4 : 1;
    }
    const equation = label && document.getElementById(label).querySelector("math").parentElement;
    beside.replaceChildren(...[...equation?.childNodes ?? []].map(node => node.cloneNode(true)));
    return words;
  });
  return [drawing, control, beside];
};

for (const image of document.images) {
  const data = carried(image);
  if (!data) continue;
  const moving = make("div", {class: "moving"}, ...(data.steps ? steps : networks)(data, image));
  (image.closest("p") ?? image).after(moving);
}
}
