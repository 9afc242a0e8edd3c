"""What is answered over HTTP: routes, bodies, errors."""
