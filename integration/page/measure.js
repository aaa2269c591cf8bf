// Measures what is drawn, and leaves only that in the document, as JSON.
(function () {
  function luminance(c) {
    var f = c.match(/[\d.]+/g).slice(0, 3).map(function (v) {
      v = v / 255;
      return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2];
  }
  function contrast(a, b) {
    var x = luminance(a), y = luminance(b);
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  }
  function paper(e) { // the colour behind an element
    for (; e; e = e.parentElement) {
      var c = getComputedStyle(e).backgroundColor;
      if (c && c !== 'transparent' && !/, 0\)$/.test(c)) return c;
    }
    return 'rgb(255, 255, 255)';
  }
  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
  function box(e) { var r = e.getBoundingClientRect(); return { l: r.left, t: r.top, r: r.right, b: r.bottom, w: r.width, h: r.height }; }

  var result = {
    background: getComputedStyle(document.body).backgroundColor,
    width: document.documentElement.scrollWidth, screen: window.innerWidth, height: document.documentElement.scrollHeight,
    requests: performance.getEntriesByType('resource').length,
    charts: [], faint: [], outside: []
  };
  all('h1, h2, p, dt, dd, th, td, li').forEach(function (e) {
    var c = contrast(getComputedStyle(e).color, paper(e));
    if (c < 4.5) result.faint.push(e.textContent.slice(0, 40) + ': ' + c.toFixed(1));
    if (box(e).r > window.innerWidth + 1) result.outside.push(e.textContent.slice(0, 40));
  });
  all('figure').forEach(function (figure) {
    var svg = figure.querySelector('figure > svg'), frame = box(svg), background = paper(figure);
    var chart = { title: figure.querySelector('h2').textContent, width: frame.w, height: frame.h, lines: [], overlap: [], outside: [], faint: [], smallest: 1e9 };
    var texts = all('text', svg).map(function (e) { return { text: e.textContent, box: box(e) }; });
    texts.forEach(function (a, i) {
      chart.smallest = Math.min(chart.smallest, a.box.h);
      if (a.box.l < frame.l - 1 || a.box.r > frame.r + 1 || a.box.t < frame.t - 1 || a.box.b > frame.b + 1) chart.outside.push(a.text);
      texts.slice(i + 1).forEach(function (b) {
        if (a.box.l < b.box.r && b.box.l < a.box.r && a.box.t < b.box.b && b.box.t < a.box.b) chart.overlap.push(a.text + ' and ' + b.text);
      });
    });
    all('text', svg).slice(0, 1).forEach(function (e) {
      var c = contrast(getComputedStyle(e).fill, background);
      if (c < 4.5) chart.faint.push('text: ' + c.toFixed(1));
    });
    all('polyline, circle', svg).forEach(function (e) {
      var b = box(e), style = getComputedStyle(e), c = contrast(e.tagName === 'circle' ? style.fill : style.stroke, background);
      chart.lines.push({ width: b.w, height: b.h });
      if (c < 3) chart.faint.push(e.getAttribute('class') + ': ' + c.toFixed(1));
    });
    result.charts.push(chart);
  });
  var text = JSON.stringify(result);
  document.documentElement.innerHTML = '<body><pre id="measured"></pre></body>';
  document.getElementById('measured').textContent = text;
})();
