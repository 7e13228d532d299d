// The pre-flight check while typing: shortly after the last key it posts the form's values and replaces the slots
// beside the inputs whose findings changed. The others stay, so nothing closes or is announced twice.
// Without this script, findings appear when the page opens and on the confirm page.
document.addEventListener("DOMContentLoaded", function () {
  "use strict";
  const marker = document.querySelector("[data-preflight]");
  const form = marker && marker.closest("form");
  if (!form) return;
  const PAUSE = 400;
  let timer = 0;
  let latest = 0;

  function show(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    Array.from(template.content.children).forEach(function (fresh) {
      const known = document.getElementById(fresh.id);
      // Leave an unchanged slot alone, so that it keeps the focus.
      const same = known && (fresh.dataset.version ? fresh.dataset.version === known.dataset.version : fresh.isEqualNode(known));
      if (known && !same) known.replaceWith(fresh);
    });
  }

  function check() {
    const turn = ++latest;
    fetch(marker.dataset.preflight, { method: "POST", body: new FormData(form), redirect: "error" })
      .then(function (response) { return response.ok ? response.text() : ""; })
      .then(function (html) { if (html && turn === latest) show(html); })
      .catch(function () { /* Left the page, or no network: the confirm page shows the findings before anything is paid. */ });
  }

  function checkSoon() {
    window.clearTimeout(timer);
    timer = window.setTimeout(check, PAUSE);
  }
  form.addEventListener("input", checkSoon);
  // The user typed before this script ran, or came back to a partly filled form.
  function touched(input) {
    if (input.type === "checkbox" || input.type === "radio") return input.checked !== input.defaultChecked;
    return "defaultValue" in input && input.value !== input.defaultValue;
  }
  if (Array.from(form.elements).some(touched)) checkSoon();
  form.addEventListener("submit", function () { window.clearTimeout(timer); });
});
