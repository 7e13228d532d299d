// The pre-flight while one types: a moment after the last key the form's values are asked about, and the slots
// beside the inputs whose findings changed are replaced. Others stay, so nothing closes or is read twice.
// Without this script the findings stand where they are when the page is opened, and on the plan.
document.addEventListener("DOMContentLoaded", function () {
  "use strict";
  const place = document.querySelector("[data-preflight]");
  const form = place && place.closest("form");
  if (!form) return;
  const PAUSE = 400;
  let timer = 0;
  let asked = 0;

  function show(html) {
    const answer = document.createElement("template");
    answer.innerHTML = html;
    Array.from(answer.content.children).forEach(function (fresh) {
      const known = document.getElementById(fresh.id);
      // A slot that says the same as before is left: what has the focus in it keeps it.
      const same = known && (fresh.dataset.version ? fresh.dataset.version === known.dataset.version : fresh.isEqualNode(known));
      if (known && !same) known.replaceWith(fresh);
    });
  }

  function ask() {
    const turn = ++asked;
    fetch(place.dataset.preflight, { method: "POST", body: new FormData(form), redirect: "error" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (html) { if (html && turn === asked) show(html); })
      .catch(function () { /* Left the page, or no network: the plan shows the findings before anything is paid. */ });
  }

  function later() {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE);
  }
  form.addEventListener("input", later);
  // Somebody typed before this script ran, or came back to a form half filled in.
  function touched(input) {
    if (input.type === "checkbox" || input.type === "radio") return input.checked !== input.defaultChecked;
    return "defaultValue" in input && input.value !== input.defaultValue;
  }
  if (Array.from(form.elements).some(touched)) later();
  form.addEventListener("submit", function () { window.clearTimeout(timer); });
});
