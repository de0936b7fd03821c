// One colour per person, the same in the picture, the scene and the table.

const COLOURS = ["#4cc2ff", "#ffb454", "#5ad18a", "#e286ff", "#ff7b72", "#f2e05c", "#7ee0d4", "#b4a2ff"];

export const colourOf = (slot) => (slot < 0 ? "#8d99a8" : COLOURS[slot % COLOURS.length]);

export function rgbOf(slot) {
  const hex = parseInt(colourOf(slot).slice(1), 16);
  return [(hex >> 16 & 255) / 255, (hex >> 8 & 255) / 255, (hex & 255) / 255];
}
