// WS-Security's UsernameToken as gSOAP declares a header: what is added to the file that wsdl2h makes.
//gsoap wsse schema namespace: http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd
//gsoap wsse schema form: qualified

struct TokenOfUser {
    char *wsse__Username 1;
    char *wsse__Password 1;
};

struct SecurityOfUser {
    struct TokenOfUser *wsse__UsernameToken 1;
};

struct SOAP_ENV__Header {
    struct SecurityOfUser *wsse__Security;
};
