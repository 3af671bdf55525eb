"""How the SOAP contract in `wsdl/` is made from the catalogue, by `make wsdl`; needs the extra `wsdl`."""
