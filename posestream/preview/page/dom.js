// Making elements, and showing what came of a request.

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const { data = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

// Sets text only where it differs, so that selections and screen readers are left in peace.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Runs a request and puts its sentence beside the button.
export async function answered(place, request, done = () => "Done.") {
  place.classList.remove("bad");
  place.textContent = "…";
  try {
    place.textContent = done(await request);
    return true;
  } catch (error) {
    place.classList.add("bad");
    place.textContent = error.message;
    return false;
  }
}
