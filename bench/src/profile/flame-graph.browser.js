// Runs in the page that flame-graph.ts writes, after `data`: [name, kind, where, selfMs, totalMs, calls] of the root.
const ROW = 18;
const graph = document.getElementById('graph');
const told = document.getElementById('told');
const search = document.getElementById('search');
const all = data[4];
let path = [data];

function percentOf(ms) {
  return `${((100 * ms) / all).toFixed(1)} %`;
}

function tell([name, , where, self, total]) {
  told.textContent = `${name}  ${where}: ${total} ms with what it called (${percentOf(total)}), ${self} ms itself (${percentOf(self)})`;
}

function tellAll() {
  const wanted = search.value.toLowerCase();
  if (wanted === '') return tell(path.at(-1));
  // What is called by something that was found counts with it, and not again.
  const sum = (frame) => (isFound(frame, wanted) ? frame[4] : frame[5].reduce((ms, call) => ms + sum(call), 0));
  const found = sum(path.at(-1));
  told.textContent = `“${search.value}” and what it called: ${found.toFixed(1)} ms, ${percentOf(found)}`;
}

function isFound([name, , where], wanted) {
  return wanted !== '' && `${name} ${where}`.toLowerCase().includes(wanted);
}

function draw() {
  graph.replaceChildren();
  const wanted = search.value.toLowerCase();
  const boxes = [];
  let deepest = 0;
  const box = (frame, depth, left, width, way) => {
    const [name, kind, where] = frame;
    const element = document.createElement('div');
    element.textContent = name;
    element.title = `${name}\n${where}\n${frame[4]} ms (${percentOf(frame[4])}), itself ${frame[3]} ms (${percentOf(frame[3])})`;
    element.className = kind + (way.length < path.length ? ' above' : '') + (isFound(frame, wanted) ? ' found' : '');
    element.style.left = `${Number((left * 100).toFixed(3))}%`;
    element.style.width = `${Number((width * 100).toFixed(3))}%`;
    element.addEventListener('mouseenter', () => tell(frame));
    element.addEventListener('click', () => {
      path = way;
      draw();
    });
    boxes.push([element, depth]);
    deepest = Math.max(deepest, depth);
  };
  const drawCalls = (frame, depth, left, perMs, way) => {
    for (const call of frame[5]) {
      const width = call[4] * perMs;
      if (width * graph.clientWidth >= 0.5) {
        box(call, depth, left, width, [...way, call]);
        drawCalls(call, depth + 1, left, perMs, [...way, call]);
      }
      left += width;
    }
  };
  for (const [depth, frame] of path.entries()) box(frame, depth, 0, 1, path.slice(0, depth + 1));
  drawCalls(path.at(-1), path.length, 0, 1 / path.at(-1)[4], path);
  graph.style.height = `${(deepest + 1) * ROW}px`;
  for (const [element, depth] of boxes) {
    element.style.top = `${(deepest - depth) * ROW}px`;
    graph.append(element);
  }
  tellAll();
}

search.addEventListener('input', draw);
graph.addEventListener('mouseleave', tellAll);
window.addEventListener('resize', draw);
draw();
