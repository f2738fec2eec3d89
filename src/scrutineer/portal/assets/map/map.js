// The zoomable map. It draws the outlines of the definition in the shades and hatchings of the small maps, and asks nobody but this
// site for anything: no tiles, no fonts, no pictures. Hatchings and labels are painted here and given to the library as images.
"use strict";
(() => {
  const box = document.getElementById("map");
  const choice = document.getElementById("map-choice");
  const settings = box.dataset;
  const words = Object.fromEntries(
    [...document.getElementById("map-words").content.children].map((word) => [word.dataset.is, word.textContent]),
  );
  const SIZE = 16; // pixels of a hatching, before those of the screen
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const percent = (part, of) => {
    const value = Math.floor((part * 20000 + of) / (2 * of));
    return settings.before + Math.floor(value / 100) + settings.decimal + String(value % 100).padStart(2, "0") + settings.after;
  };
  const load = (path) =>
    fetch(path).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`${path}: ${answer.status}`))));

  // --- painting ---------------------------------------------------------------------------------------------------------

  const canvasOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

  // The lines of each hatching, on a square of 16; the same as those of the small maps.
  const HATCHINGS = [
    [],
    [[-4, 4, 4, -4], [0, 16, 16, 0], [12, 20, 20, 12]],
    [[-4, 12, 4, 20], [0, 0, 16, 16], [12, -4, 20, 4]],
    [[0, 8, 16, 8]],
    [[8, 0, 8, 16]],
    [[7, 8, 9, 8], [-1, 0, 1, 0], [15, 0, 17, 0], [-1, 16, 1, 16], [15, 16, 17, 16]],
    [[0, 16, 16, 0], [0, 0, 16, 16]],
    [[0, 8, 16, 8], [8, 0, 8, 16]],
    [[0, 3, 16, 3], [0, 11, 16, 11], [-4, 4, 4, -4], [0, 16, 16, 0], [12, 20, 20, 12]],
  ];

  const paint = (hatching, shade) => {
    const ratio = window.devicePixelRatio || 1;
    const canvas = canvasOf(Math.round(SIZE * ratio), Math.round(SIZE * ratio));
    const pen = canvas.getContext("2d");
    pen.scale(canvas.width / SIZE, canvas.width / SIZE);
    pen.fillStyle = token(shade ? `shade-${shade}` : "nothing");
    pen.fillRect(0, 0, SIZE, SIZE);
    pen.strokeStyle = token(shade > 2 ? "paper" : "shade-4");
    pen.lineWidth = 2;
    for (const [x, y, u, v] of HATCHINGS[hatching]) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(u, v);
      pen.stroke();
    }
    return canvas;
  };

  const write = (text) => {
    const ratio = window.devicePixelRatio || 1;
    const font = `600 ${15 * ratio}px ${token("sans")}`;
    const measure = canvasOf(1, 1).getContext("2d");
    measure.font = font;
    const canvas = canvasOf(Math.ceil(measure.measureText(text).width + 8 * ratio), Math.ceil(24 * ratio));
    const pen = canvas.getContext("2d");
    Object.assign(pen, { font, textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4 * ratio });
    pen.strokeStyle = token("paper");
    pen.fillStyle = token("ink");
    pen.strokeText(text, canvas.width / 2, canvas.height / 2);
    pen.fillText(text, canvas.width / 2, canvas.height / 2);
    return canvas;
  };

  const addImage = (map, name, canvas) => {
    if (map.hasImage(name)) map.removeImage(name);
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    map.addImage(name, pixels, { pixelRatio: window.devicePixelRatio || 1 });
  };

  // --- what a place looks like ------------------------------------------------------------------------------------------

  const above = (limits, part, of) => limits.filter(([over, under]) => part * under >= of * over).length;

  const look = (figures, contest, number, shown) => {
    const [stations, counted, first, most, all] = figures.contests[contest].places[number];
    if (shown === "counted") {
      if (!counted) return { hatching: 0, shade: 0, label: "" };
      return { hatching: 0, shade: 1 + above(figures.parts, counted, stations), label: percentWhole(counted, stations) };
    }
    if (!first.length) return { hatching: 0, shade: 0, label: "" };
    if (first.length > 1) return { hatching: figures.level, shade: 2, label: "=" };
    const { letter } = figures.contests[contest].candidates[first[0]];
    return { hatching: first[0] % figures.hatchings, shade: 1 + above(figures.shares, most, all), label: letter };
  };
  const percentWhole = (part, of) => settings.before + Math.floor((100 * part) / of) + settings.after;

  // --- the map ----------------------------------------------------------------------------------------------------------

  const boundsOf = (shapes) => {
    const bounds = [Infinity, Infinity, -Infinity, -Infinity];
    const visit = (positions) => {
      if (typeof positions[0] !== "number") return positions.forEach(visit);
      const [x, y] = positions;
      bounds.splice(0, 4, Math.min(bounds[0], x), Math.min(bounds[1], y), Math.max(bounds[2], x), Math.max(bounds[3], y));
    };
    shapes.features.forEach((feature) => visit(feature.geometry.coordinates));
    return bounds;
  };

  // Each level of units has a stretch of zooming; a unit without parts on the map stays until the end.
  const prepared = (shapes, figures) => {
    const numbers = new Map(figures.units.map((unit, number) => [unit.id, number]));
    const depths = [...new Set(figures.units.map((unit) => unit.depth).filter((depth) => depth > 0))].sort((a, b) => a - b);
    const features = shapes.features.map((feature) => {
      const number = numbers.get(feature.id);
      const { depth, divided } = figures.units[number];
      const properties = { number, depth, last: !divided, point: feature.geometry.type === "Point" };
      return { type: "Feature", id: number, properties, geometry: feature.geometry };
    });
    // A label has a place of its own: that of an outline is cut into tiles, and would bear one in each.
    const labels = features.map(({ properties }) => ({
      type: "Feature",
      properties,
      geometry: { type: "Point", coordinates: figures.units[properties.number].at },
    }));
    const collection = (those) => ({ type: "geojson", data: { type: "FeatureCollection", features: those } });
    return { sources: { places: collection(features), labels: collection(labels) }, depths };
  };

  const layersOf = (depths, start) => {
    const layers = [];
    depths.forEach((depth, place) => {
      const from = place ? start + 1.3 * place : 0;
      const to = place < depths.length - 1 ? start + 1.3 * (place + 1) : 24;
      for (const [kind, last, until] of [["passing", false, to], ["staying", true, 24]]) {
        const range = { source: "places", minzoom: from, maxzoom: until };
        const filter = ["all", ["==", ["get", "depth"], depth], ["==", ["get", "last"], last]];
        const area = ["all", ...filter.slice(1), ["==", ["get", "point"], false]];
        const id = `${kind}-${depth}`;
        layers.push(
          { id: `area-${id}`, type: "fill", ...range, filter: area, paint: { "fill-pattern": ["image", "pattern-0-0"] } },
          { id: `border-${id}`, type: "line", ...range, filter: area, layout: { "line-join": "round" }, paint: { "line-width": 1 } },
          {
            id: `point-${id}`, type: "circle", ...range, filter: ["all", ...filter.slice(1), ["==", ["get", "point"], true]],
            paint: { "circle-radius": 9, "circle-stroke-width": 1.5 },
          },
          {
            id: `label-${id}`, type: "symbol", ...range, source: "labels", filter,
            layout: { "icon-image": "", "icon-padding": 1 },
          },
        );
      }
    });
    const rank = (layer) => ["fill", "line", "circle", "symbol"].indexOf(layer.type);
    return layers.sort((one, other) => rank(one) - rank(other));
  };

  const start = async () => {
    const [library, shapes, figures] = await Promise.all([
      import(new URL(settings.program, document.baseURI)), load(settings.shapes), load(settings.figures),
    ]);
    library.setWorkerUrl(new URL(settings.worker, document.baseURI).href);
    const { sources, depths } = prepared(shapes, figures);
    box.hidden = false;
    const map = new library.Map({
      container: box,
      style: { version: 8, sources, layers: [] },
      bounds: boundsOf(shapes),
      fitBoundsOptions: { padding: 18 },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      cooperativeGestures: false,
      fadeDuration: 0,
      locale: {
        "Map.Title": settings.label,
        "NavigationControl.ZoomIn": settings.in,
        "NavigationControl.ZoomOut": settings.out,
        "Popup.Close": settings.close,
      },
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.addControl(new library.NavigationControl({ showCompass: false }));
    await map.once("load");
    const layers = layersOf(depths, map.getZoom());
    layers.forEach((layer) => map.addLayer(layer));
    map.setMaxBounds(wider(map.getBounds()));
    const touchable = layers.filter((layer) => layer.type === "fill" || layer.type === "circle").map((layer) => layer.id);

    const chosen = () => ({
      contest: Number(choice.elements.contest?.value ?? 0),
      shown: choice.elements.shown.value,
    });
    const colour = () => {
      const { contest, shown } = chosen();
      const looks = figures.units.map((_, number) => look(figures, contest, number, shown));
      const pattern = ({ hatching, shade }) => `pattern-${hatching}-${shade}`;
      const images = new Map(looks.map((own) => [pattern(own), own]));
      for (const [name, { hatching, shade }] of images) addImage(map, name, paint(hatching, shade));
      for (const label of new Set(looks.map((own) => own.label))) if (label) addImage(map, `label-${label}`, write(label));
      const by = (value) => ["match", ["get", "number"], ...looks.flatMap((own, number) => [number, value(own)])];
      for (const { id, type } of layers) {
        if (type === "fill") map.setPaintProperty(id, "fill-pattern", ["image", [...by(pattern), "pattern-0-0"]]);
        if (type === "line") map.setPaintProperty(id, "line-color", token("paper"));
        if (type === "circle") {
          map.setPaintProperty(id, "circle-color", [...by(({ shade }) => token(shade ? `shade-${shade}` : "nothing")), token("nothing")]);
          map.setPaintProperty(id, "circle-stroke-color", token("ink"));
        }
        if (type === "symbol") {
          map.setLayoutProperty(id, "icon-image", ["image", [...by(({ label }) => (label ? `label-${label}` : "")), ""]]);
        }
      }
      legend(figures, contest, shown, looks);
    };

    let popup;
    const tell = (point, at) => {
      const [found] = map.queryRenderedFeatures(point, { layers: touchable });
      popup?.remove();
      if (!found) return;
      popup = new library.Popup({ maxWidth: "20rem", focusAfterOpen: true })
        .setLngLat(at)
        .setDOMContent(placeOf(figures, chosen().contest, found.properties.number))
        .addTo(map);
    };
    map.on("click", (event) => tell(event.point, event.lngLat));
    map.on("mousemove", (event) => {
      map.getCanvas().style.cursor = map.queryRenderedFeatures(event.point, { layers: touchable }).length ? "pointer" : "";
    });
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key === "Enter") tell(map.project(map.getCenter()), map.getCenter());
    });
    choice.addEventListener("change", () => {
      popup?.remove();
      colour();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
    addImage(map, "pattern-0-0", paint(0, 0));
    colour();
    for (const id of ["map-choice", "map-help", "map-keys"]) document.getElementById(id).hidden = false;
    document.getElementById("map-trouble").hidden = true;
    map.once("idle", () => (box.dataset.drawn = "yes"));
  };

  const wider = (bounds) => {
    const [[west, south], [east, north]] = bounds.toArray();
    const [x, y] = [(east - west) / 2, (north - south) / 2];
    return [[Math.max(-180, west - x), Math.max(-85, south - y)], [Math.min(540, east + x), Math.min(85, north + y)]];
  };

  const legend = (figures, contest, shown, looks) => {
    const list = document.getElementById("map-candidates");
    list.replaceChildren();
    const add = (canvas, letter, text) => {
      const item = list.appendChild(document.createElement("li"));
      const picture = item.appendChild(document.createElement("img"));
      Object.assign(picture, { src: canvas.toDataURL(), alt: "", width: 28, height: 20 });
      if (letter) item.appendChild(document.createElement("b")).textContent = letter;
      item.append(letter ? " " : "", text);
    };
    const swatch = (hatching, shade) => {
      const canvas = canvasOf(56, 40);
      const pen = canvas.getContext("2d");
      pen.fillStyle = pen.createPattern(paint(hatching, shade), "repeat");
      pen.fillRect(0, 0, 56, 40);
      return canvas;
    };
    if (shown === "front") {
      const leading = new Set(figures.contests[contest].places.filter(([, , first]) => first.length === 1).map(([, , first]) => first[0]));
      figures.contests[contest].candidates.forEach(({ name, letter }, index) => {
        if (leading.has(index)) add(swatch(index % figures.hatchings, 2), letter, name);
      });
      if (looks.some(({ label }) => label === "=")) add(swatch(figures.level, 2), "=", words.level);
    }
    if (looks.some(({ shade }) => !shade)) add(swatch(0, 0), "", words.nothing);
    for (const keys of document.querySelectorAll("#map-keys [data-shown]")) keys.hidden = keys.dataset.shown !== shown;
  };

  const placeOf = (figures, contest, number) => {
    const card = document.getElementById("map-place").content.firstElementChild.cloneNode(true);
    const unit = figures.units[number];
    const { candidates, places } = figures.contests[contest];
    const [stations, counted, first, most, all] = places[number];
    const put = (what, text) => (card.querySelector(`[data-is=${what}]`).textContent = text);
    card.querySelector("h2").textContent = unit.name;
    put("front", first.length ? first.map((index) => candidates[index].name).join(" = ") : words.nothing);
    put("share", first.length ? percent(most, all) : "–");
    put("counted", `${counted} / ${stations}`);
    const link = card.querySelector("a");
    if (unit.path) link.href = (unit.translated ? settings.here : settings.home) + unit.path;
    else link.parentElement.remove();
    return card;
  };

  start().catch((error) => {
    box.hidden = true;
    box.dataset.drawn = "no";
    document.getElementById("map-trouble").hidden = false;
    console.warn(`The map cannot be drawn: ${error.message}`);
  });
})();
