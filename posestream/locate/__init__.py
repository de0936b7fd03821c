"""From root-relative people to people in metres: distance, floor, tilt."""
