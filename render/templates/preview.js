// Beside the number of an equation, the equation itself: while the pointer is over the number or the
// line of code that bears it, or the keyboard's focus is on it; Escape puts it away.
{
const preview = document.createElement("div");
preview.id = "preview";
preview.role = "tooltip";
preview.hidden = true;
document.body.append(preview);
let shown, leaving;  // the link whose equation is shown, and the clock that ends it

const show = (link, equation) => {
  clearTimeout(leaving);
  if (shown === link) return;
  hide();
  preview.replaceChildren(...[...equation.childNodes].map(node => node.cloneNode(true)));
  preview.hidden = false;
  const {left, top, bottom} = link.getBoundingClientRect();
  const {width, height} = preview.getBoundingClientRect();
  const room = document.documentElement.clientWidth - width;
  const above = bottom + height + 12 > innerHeight && top > height + 12;
  preview.style.left = Math.max(0, Math.min(left, room - 8)) + scrollX + "px";
  preview.style.top = (above ? top - height - 6 : bottom + 6) + scrollY + "px";
  link.setAttribute("aria-describedby", preview.id);
  shown = link;
};
const hide = () => {
  clearTimeout(leaving);
  shown?.removeAttribute("aria-describedby");
  preview.hidden = true;
  shown = undefined;
};
const leave = () => { leaving = setTimeout(hide, 200); };  // time to reach the preview, to scroll it

const previews = (link, equation, area = link) => {
  area.addEventListener("pointerenter", () => show(link, equation));
  area.addEventListener("pointerleave", leave);
  link.addEventListener("focus", () => show(link, equation));
  link.addEventListener("blur", hide);
};
preview.addEventListener("pointerenter", () => clearTimeout(leaving));
preview.addEventListener("pointerleave", leave);
addEventListener("keydown", event => { if (event.key === "Escape") hide(); });

const numbered = new Map();  // "(1)" and the equation that bears this number
for (const equation of document.querySelectorAll(".equation")) {
  numbered.set(equation.lastChild.textContent.trim(), equation);
}
for (const equation of numbered.values()) {
  const {id} = equation.closest("[id]");
  for (const link of document.querySelectorAll("a[href='#" + id + "']")) previews(link, equation);
}

// In code, the number of an equation leads to it.
for (const comment of document.querySelectorAll("pre code .co")) {
  const equation = numbered.get(comment.textContent.slice(2));
  if (!equation) continue;
  const link = document.createElement("a");
  link.href = "#" + equation.closest("[id]").id;
  link.append(...comment.childNodes);
  comment.append(link);
  previews(link, equation, comment.parentElement);
}
}
