// The pages work without this script. It adds live counts, copy buttons, the menu on phones, and a steady refresh.
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  // --- Live counts: they warn, and never cut off what was typed ------------------------------------------
  function count(field) {
    const low = Number(field.dataset.min || 0);
    const high = Number(field.dataset.max || 0);
    let line = field.parentElement.querySelector(".count");
    if (!line) {
      line = document.createElement("p");
      line.className = "count";
      field.insertAdjacentElement("afterend", line);
    }
    // Line breaks count once, as on the server, and code points rather than UTF-16 units.
    const length = Array.from(field.value.trim()).length;
    const short = length > 0 && length < low;
    const long = high > 0 && length > high;
    let text = high ? length + " of " + high : String(length);
    if (short) text += " · " + (low - length) + " more needed";
    else if (long) text += " · " + (length - high) + " too many";
    else if (length === 0 && low) text += " · at least " + low;
    line.textContent = text;
    line.classList.toggle("count-off", short || long);
  }

  // --- Copy ----------------------------------------------------------------------------------------------
  function showCopyButtons(root) {
    if (!navigator.clipboard) return;
    root.querySelectorAll("button.copy[hidden]").forEach(function (button) { button.hidden = false; });
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("button.copy");
    if (!button) return;
    event.preventDefault();
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      button.classList.add("copied");
      announce("Copied.");
      window.setTimeout(function () { button.classList.remove("copied"); }, 1500);
    });
  });

  function announce(text) {
    let line = document.getElementById("announcer");
    if (!line) {
      line = document.createElement("p");
      line.id = "announcer";
      line.className = "visually-hidden";
      line.setAttribute("role", "status");
      document.body.appendChild(line);
    }
    line.textContent = text;
  }

  // --- A double click sends one request --------------------------------------------------------------------
  document.addEventListener("submit", function (event) {
    const form = event.target;
    // A download does not leave the page, which must stay usable.
    if (form.method !== "post" || form.querySelector("option[data-download]:checked")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
    document.querySelectorAll("[aria-busy]").forEach(function (button) { button.removeAttribute("aria-busy"); });
  });

  // --- Details that were opened stay open after a refresh ------------------------------------------------------
  const toggled = new Map();
  document.addEventListener("click", function (event) {
    const summary = event.target.closest("summary");
    const details = summary && summary.parentElement;
    if (details && details.id) toggled.set(details.id, !details.open);
  });
  function restore(root) {
    root.querySelectorAll("details[id]").forEach(function (details) {
      if (toggled.has(details.id)) details.open = toggled.get(details.id);
    });
  }

  document.addEventListener("htmx:oobAfterSwap", function (event) {
    restore(event.detail.target);
    showCopyButtons(event.detail.target);
  });
  document.addEventListener("htmx:afterSwap", function (event) { showCopyButtons(event.detail.target); });
  // A hidden page does not poll.
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (document.hidden && event.detail.elt.id === "poller") event.preventDefault();
  });
  // Signed out in the meantime: the response is the sign-in page. Reload instead of showing a stale page.
  document.addEventListener("htmx:afterRequest", function (event) {
    const xhr = event.detail.xhr;
    if (event.detail.elt.id !== "poller" || !xhr.responseURL) return;
    if (!new URL(xhr.responseURL).pathname.endsWith("/refresh/")) window.location.reload();
  });

  // --- "Select all" checkboxes ---------------------------------------------------------------------------------
  function boxes(name) { return document.querySelectorAll('input[type="checkbox"][name="' + name + '"]:not(:disabled)'); }
  document.addEventListener("change", function (event) {
    const name = event.target.dataset.checkAll;
    if (name) boxes(name).forEach(function (box) { box.checked = event.target.checked; });
  });

  // --- A URL fragment that names a field focuses its input -----------------------------------------------------
  function fragmentTarget() {
    return window.location.hash && document.getElementById(window.location.hash.slice(1));
  }
  function focusField() {
    const target = fragmentTarget();
    const input = target && target.matches(".field") && target.querySelector("input, textarea, select");
    if (input) input.focus({ preventScroll: true });
  }
  // The browser moves the focus when it scrolls to a fragment, which may be a frame after the load.
  function focusFieldSoon() {
    window.requestAnimationFrame(function () { window.requestAnimationFrame(focusField); });
  }
  window.addEventListener("load", focusFieldSoon);
  window.addEventListener("hashchange", focusFieldSoon);

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-min], [data-max]").forEach(function (field) {
      count(field);
      field.addEventListener("input", function () { count(field); });
    });
    showCopyButtons(document);

    document.querySelectorAll("[data-check-all]").forEach(function (box) { box.closest("label").hidden = false; });

    const menu = document.getElementById("site-menu");
    if (menu) {
      menu.hidden = false;
      menu.addEventListener("click", function () {
        const open = document.getElementById("site-sidebar").classList.toggle("open");
        menu.setAttribute("aria-expanded", String(open));
      });
    }

    const target = fragmentTarget();
    if (target && target.tagName === "DETAILS") target.open = true;
    const errors = document.getElementById("error-summary");
    if (errors) errors.focus();

    // Mark the visible section in the form's navigation.
    const links = document.querySelectorAll(".form-nav a");
    if (links.length && "IntersectionObserver" in window) {
      const observer = new IntersectionObserver(function (entries) {
        entries.forEach(function (entry) {
          if (!entry.isIntersecting) return;
          links.forEach(function (link) {
            if (link.hash === "#" + entry.target.id) link.setAttribute("aria-current", "true");
            else link.removeAttribute("aria-current");
          });
        });
      }, { rootMargin: "-20% 0px -70% 0px" });
      document.querySelectorAll(".form-section").forEach(function (section) { observer.observe(section); });
    }
  });
})();
